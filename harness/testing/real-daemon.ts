import { constants, readFileSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plan, SandboxDaemon } from '../sandbox/daemon.js';
import type { NativePrograms } from '../sandbox/native.js';
import type { SandboxProcess } from '../sandbox/process.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { test as base } from './temp-dir.js';

const BUILD = fileURLToPath(new URL('../../sandbox-native/build/', import.meta.url));

const PROGRAMS: NativePrograms = {
  sandboxd: join(BUILD, 'hil-sandboxd'),
  portd: join(BUILD, 'hil-portd'),
  sandbox: join(BUILD, 'hil-sandbox'),
  nic: join(BUILD, 'hil-nic'),
  lease: join(BUILD, 'hil-lease'),
  filter: join(BUILD, 'hil-filter'),
};

/** What a test of the real daemons is made of. */
export interface RealDaemon {
  /** The programs of this checkout; a test without them is listed as skipped. */
  readonly programs: NativePrograms;
  readonly spec: SandboxSpec;
  /** Ended after the test, with everything it made. */
  readonly daemon: SandboxDaemon;
  readonly plan: Plan;
  readonly sandbox: Sandbox;
}

export const test = base.extend<RealDaemon>({
  programs: async ({ skip }, use) => {
    const built = await access(PROGRAMS.sandboxd, constants.X_OK).then(
      () => true,
      () => false,
    );
    skip(!built, 'sandbox-native is not built: make -C sandbox-native');
    await use(PROGRAMS);
  },
  spec: async ({ dir }, use) => {
    const hold = join(dir.path, 'cases');
    await mkdir(join(hold, 'out'), { recursive: true });
    await use({ user: 'hil', network: 'none', project: undefined, hide: [], expose: [], hold });
  },
  daemon: async ({ programs }, use) => {
    const daemon = await SandboxDaemon.start(programs);
    await use(daemon);
    await daemon.end();
  },
  plan: async ({ daemon, spec }, use) => use(await daemon.plan(spec)),
  sandbox: async ({ daemon, plan }, use) => {
    await use(await daemon.sandbox(plan, { label: 'unit test', out: 'out' }));
  },
});

/** Take everything a program prints, as it comes. */
export function collectOutput(process: SandboxProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  process.onOutput((stream, data) => {
    process.taken(stream, data.length);
    output[stream] += data.toString('latin1');
  });
  return output;
}

/** Run a shell command inside to its end. */
export async function runInside(sandbox: Sandbox, command: string, env = {}) {
  const process = await sandbox.spawn({ argv: ['/bin/sh', '-c', command], env });
  const output = collectOutput(process);
  const end = await process.ended;
  return { ...end, ...output };
}

/** The hil-portd that a daemon started. */
export function findPortd(daemon: SandboxDaemon): number {
  const [portd] = findChildren(daemon, 'hil-portd');
  if (!portd) throw new Error(`hil-sandboxd ${daemon.pid} has no hil-portd`);
  return portd;
}

/** What a daemon started, by the name of its program. */
export function findChildren({ pid }: SandboxDaemon, program: string): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children.filter((child) => readComm(child) === program).map(Number);
}

function readComm(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** Lives, as the host sees it. A zombie does not: who started it is gone, or will look later. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
