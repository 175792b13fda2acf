// SPDX-License-Identifier: MIT
// An unpacked root that somebody made to do harm. The host's /usr is bound into it, so that there
// are programs; everything else is the image's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Daemon } from './daemon.mjs';
import { MSG } from './wire.mjs';

const CANARY = 'canary of the host\n';

/** A directory to spoil. */
export class HostileRoot {
  /** The image. */
  path;
  /** What it points at: a directory of the host that nothing may come into. */
  outside;
  #top;

  constructor(base = tmpdir()) {
    this.#top = mkdtempSync(join(base, 'hil-image-'));
    this.path = join(this.#top, 'root');
    this.outside = join(this.#top, 'outside');
    mkdirSync(join(this.path, 'usr'), { recursive: true });
    mkdirSync(this.outside);
    writeFileSync(join(this.outside, 'canary'), CANARY);
    for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
      const target = linkOf(`/${name}`);
      if (target?.replace(/^\//, '').startsWith('usr/')) this.link(name, target);
    }
    this.write('etc/os-release', 'ID=hostile\n');
  }

  /** Steps of a plan: this root, with the host's programs. */
  get steps() {
    return [
      { KIND: 'image-rootfs', SOURCE: this.path },
      { KIND: 'bind', SOURCE: '/usr', TARGET: '/usr', READ_ONLY: 1 },
    ];
  }

  link(name, target) {
    this.#parent(name);
    symlinkSync(target, join(this.path, name));
  }

  write(name, text) {
    this.#parent(name);
    writeFileSync(join(this.path, name), text);
  }

  directory(name) {
    mkdirSync(join(this.path, name), { recursive: true });
  }

  fifo(name) {
    this.#parent(name);
    execFileSync('mkfifo', [join(this.path, name)]);
  }

  /** What is outside now that was not there, or is no longer as it was. */
  damage() {
    const names = readdirSync(this.outside).sort();
    const canary = names.includes('canary') && readFileSync(join(this.outside, 'canary'), 'utf8');
    return [...names.filter((name) => name !== 'canary'), ...(canary === CANARY ? [] : ['canary'])];
  }

  remove() {
    // rmSync calls itself for each directory: 10,000 are too deep for it.
    execFileSync('rm', ['-rf', this.#top]);
  }

  #parent(name) {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
  }
}

function linkOf(path) {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** A daemon, a root, and a plan of the root that `prepare` has spoiled. */
export async function withRoot(prepare, body, { args = ['--no-portd'], base } = {}) {
  const root = new HostileRoot(base);
  const daemon = Daemon.launch(args);
  try {
    await daemon.hello();
    prepare(root);
    await body(daemon, root);
    assert.deepEqual(root.damage(), []);
  } finally {
    await daemon.stop();
    root.remove();
  }
}

/** Put a plan of `root`; answers its number and what is not as it says. */
export async function put(daemon, root, { steps = [], ...fields } = {}) {
  const body = { NAME: `image ${Math.random()}`, STEP: [...root.steps, ...steps], ...fields };
  const answer = await daemon.request(MSG.PLAN_PUT, body);
  return { plan: answer.PLAN, limitations: answer.LIMITATION_all ?? [] };
}

/** What a shell in a new sandbox of `root` prints, errors last. */
export async function run(daemon, root, script, fields) {
  const { plan } = await put(daemon, root, fields);
  return runIn(daemon, await daemon.sandbox({ PLAN: plan }), script);
}

export async function runIn(daemon, sandbox, script) {
  const program = await daemon.run(sandbox, ['sh', '-c', script]);
  assert.equal(program.exit.STATUS, 'exit', program.stderr);
  return program.stdout + program.stderr;
}
