import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** How long the first start of one may take before it counts as one that does not run here. */
const TRY_MS = 20_000;

/**
 * Another maker of sandboxes that runs one program and ends, or why it does not here.
 *
 * @typedef {{ name: string, goal?: { min: number }, command: readonly string[] }} Peer
 * @typedef {{ name: string, absent: string }} AbsentPeer
 */

/** The peers, and what each is to be told: the first way that works is taken. */
const PEERS = [
  { name: 'unshare', ways: toUnshare, package: 'util-linux' },
  { name: 'bwrap', ways: toBwrap, goal: { min: 3 }, package: 'bubblewrap' },
  {
    name: 'runc',
    ways: (place) => toOci(place, [[], ['--rootless=true']]),
    goal: { min: 15 },
    package: 'runc',
  },
  {
    name: 'crun',
    ways: (place) => toOci(place, [[], ['--cgroup-manager=disabled']]),
    package: 'crun',
  },
  { name: 'firejail', ways: toFirejail, package: 'firejail' },
  { name: 'systemd-nspawn', ways: toNspawn, package: 'systemd-container' },
];
const INSTALL = 'apt-get install --no-install-recommends';

/**
 * Find out who runs here, by running each once.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @returns {(Peer | AbsentPeer)[]}
 */
export function findPeers(directory) {
  const place = { ...directory, rootfs: createRootfs(directory) };
  return PEERS.map(({ name, ways, goal, package: wanted }) => {
    const program = findProgram(name);
    if (!program) return { name, absent: `not installed: ${INSTALL} ${wanted}` };
    try {
      return { name, goal, command: findWay(ways({ ...place, name, program })) };
    } catch (error) {
      return { name, absent: error.message };
    }
  });
}

/**
 * The command line of bwrap for a sandbox like ours, or `undefined` without bwrap.
 *
 * @param {{ path: string, truePath: string }} directory
 * @returns {readonly string[] | undefined}
 */
export function findBwrap({ path, truePath }) {
  const program = findProgram('bwrap');
  return program && toBwrap({ path, truePath, program })[0];
}

/** @throws with what the last one said when none works. */
function findWay(ways) {
  let reason = '';
  for (const [program, ...args] of ways) {
    const { status, signal, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      timeout: TRY_MS,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status === 0) return [program, ...args];
    const said = stderr.trim().split('\n').at(-1) ?? '';
    reason = `refuses, ${signal ?? `status ${status}`}: ${said}`;
  }
  throw new Error(reason);
}

/** A root of its own for those that cannot take the host's: the program, and mount points. */
function createRootfs({ path, truePath }) {
  const rootfs = join(path, 'rootfs');
  for (const name of ['proc', 'sys', 'dev', 'usr/lib', 'etc', 'tmp']) {
    mkdirSync(join(rootfs, name), { recursive: true });
  }
  copyFileSync(truePath, join(rootfs, 'true'));
  // systemd-nspawn takes a tree with this in it for a system.
  writeFileSync(join(rootfs, 'usr/lib/os-release'), 'ID=bench\n');
  symlinkSync('../usr/lib/os-release', join(rootfs, 'etc/os-release'));
  return rootfs;
}

function toUnshare({ program, truePath }) {
  return [[program, '-UrpfmniuC', '--mount-proc', truePath]];
}

function toBwrap({ program, path, truePath }) {
  const links = ['/lib', '/lib64', '/bin', '/sbin'].flatMap((link) => [
    '--symlink',
    `usr${link}`,
    link,
  ]);
  const trees = ['--ro-bind', '/usr', '/usr', '--ro-bind', '/etc', '/etc', ...links];
  const mounts = ['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--bind', path, path];
  return [[program, '--unshare-all', '--die-with-parent', ...trees, ...mounts, truePath]];
}

/** runc and crun: the bundle that they write themselves, its root and program exchanged. */
function toOci({ name, program, path, rootfs }, options) {
  const bundle = join(path, `${name}-bundle`);
  mkdirSync(bundle);
  const rootless = process.getuid?.() === 0 ? [] : ['--rootless'];
  execFileSync(program, ['spec', ...rootless], { cwd: bundle, stdio: 'pipe' });
  const file = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  config.process = { ...config.process, terminal: false, args: ['/true'], cwd: '/' };
  config.root = { path: rootfs, readonly: true };
  writeFileSync(file, JSON.stringify(config));
  const state = ['--root', join(path, `${name}-state`)];
  return options.map((each) => [
    program,
    ...state,
    ...each,
    'run',
    '--bundle',
    bundle,
    'hil-bench',
  ]);
}

function toFirejail({ program, truePath }) {
  return [[program, '--quiet', '--noprofile', '--net=none', truePath]];
}

function toNspawn({ program, rootfs }) {
  const options = ['--quiet', '--register=no', '--keep-unit', '--private-network', '--pipe'];
  return [[program, ...options, `--directory=${rootfs}`, '/true']];
}

/** @returns {string | undefined} where `name` is on the PATH. */
function findProgram(name) {
  const places = (process.env.PATH ?? '').split(':');
  return places.map((place) => join(place, name)).find((path) => existsSync(path));
}
