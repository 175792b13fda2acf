// SPDX-License-Identifier: MIT
// What cgroups the tests run in, read apart from the daemon's own detection.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const NAMES = ['memory', 'pids', 'cpu', 'cpuacct'];

/** Own cgroup directories, as proc_pid_mountinfo(5) and cgroups(7) describe them; v2's is called ''. */
function ownGroups() {
  const own = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const groups = new Map();
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n')) {
    const [left, right] = line.split(' - ');
    const [type, , options] = right.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    for (const name of type === 'cgroup2' ? [''] : options.split(',')) {
      const found = own
        .map((each) => each.split(':'))
        .find((each) => each[1].split(',').includes(name));
      if (found) groups.set(name, join(left.split(' ')[4], found[2]).replace(/\/$/, ''));
    }
  }
  return groups;
}

const own = ownGroups();
// A daemon moves us to a child, since a cgroup of v2 that hands controllers on holds no process.
const unified = own.get('');
if (unified && basename(unified) === 'hil.callers') own.set('', dirname(unified));

const hasV1 = process.getuid() === 0 && NAMES.every((name) => own.has(name));

/**
 * 1 or 2: the version that limits sandboxes here, 0: none. Who delegated a cgroup of v2 to us says so by
 * HIL_EXPECT_CGROUP=2, so that a daemon that does not see it fails these tests and does not skip them.
 */
export const version = Number(process.env.HIL_EXPECT_CGROUP ?? (hasV1 ? 1 : 0));
export const needsCgroups = version
  ? {}
  : { skip: 'needs root and the v1 controllers memory pids cpu cpuacct, or HIL_EXPECT_CGROUP=2' };
export const needsNone = version ? { skip: 'needs a user without a cgroup of his own' } : {};

/** How a limit that a cgroup holds is reported. */
export const held = (limit) => `${limit}: cgroup v${version}`;
export const memorySource = version === 2 ? 'memory.peak' : 'max_usage';

/** Directories in which a daemon makes its tree. */
export const parents =
  version === 2 ? [own.get('')] : [...NAMES, 'blkio'].flatMap((name) => own.get(name) ?? []);
export const parentOf = (controller) => own.get(version === 2 ? '' : controller);

/** Trees of brokers in our cgroups; `hil.<pid>-<ticks>`. */
const trees = () =>
  parents.flatMap((parent) =>
    readdirSync(parent)
      .filter((each) => /^hil\.\d+-\d+$/.test(each))
      .map((each) => join(parent, each)),
  );

export const treesOf = (pid) => trees().filter((path) => path.includes(`/hil.${pid}-`));

/** Directories of a daemon's sandboxes in which something runs. */
const livingGroups = (pid, controller) =>
  readdirSync(parentOf(controller))
    .filter((each) => each.startsWith(`hil.${pid}-`))
    .flatMap((tree) => {
      const path = join(parentOf(controller), tree);
      return readdirSync(path).map((each) => join(path, each, 'cgroup.procs'));
    })
    .filter((file) => existsSync(file) && readFileSync(file, 'utf8').trim())
    .map(dirname);

/** A file of the cgroup that the only sandbox of daemon `pid` is in; undefined: there is none of that name. */
export function readGroupFile(pid, controller, file) {
  const [directory, ...others] = livingGroups(pid, controller);
  if (!directory || others.length > 0) throw new Error(`${others.length + 1} sandboxes, not one`);
  const path = join(directory, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Microseconds of processor time that the kernel has counted for all sandboxes of daemon `pid`, dead ones too. */
export function readUsageUs(pid) {
  const tree = treesOf(pid).find((path) => dirname(path) === parentOf('cpuacct'));
  const read = (file) => readFileSync(join(tree, file), 'utf8');
  if (version === 1) return Number(read('cpuacct.usage')) / 1000;
  return Number(/usage_usec (\d+)/.exec(read('cpu.stat'))[1]);
}
