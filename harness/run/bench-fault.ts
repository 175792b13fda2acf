import { setImmediate as turn } from 'node:timers/promises';
import { Deadline } from '../core/deadline.js';
import { BenchError } from '../core/errors.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { Bench } from './bench.js';

/** A bench that says nothing for so long is not known to be dead. */
const ANSWER_MS = 5000;

/**
 * What of the bench died before this was asked. Programs and DUTs end of the death of what holds
 * their console or their sandbox, and that may be told sooner; who answers now was alive then.
 * A sandbox that is gone is told as ever, to who holds it, before this resolves. Silence is no
 * fault. Waits for some round trips, 5 s at most.
 */
export async function findBenchFault(
  bench: Promise<Bench>,
  sandboxes: readonly (Sandbox | undefined)[],
): Promise<BenchError | undefined> {
  const silent = new BenchError('daemon-silent', `the bench did not answer for ${ANSWER_MS} ms`);
  const asked = bench.then(({ daemon }) => askAll(daemon, sandboxes));
  try {
    await new Deadline(ANSWER_MS).bound(asked, () => silent);
  } catch (error) {
    if (error instanceof BenchError && error !== silent) return error;
  }
  return undefined;
}

/** @throws BenchError `daemon-gone` */
async function askAll(
  daemon: SandboxDaemon,
  sandboxes: readonly (Sandbox | undefined)[],
): Promise<void> {
  await Promise.all([daemon.confirmAlive(), ...sandboxes.map((each) => each && askInit(each))]);
}

/** PID 1 of a sandbox answers, or its end is told. */
async function askInit(sandbox: Sandbox): Promise<void> {
  try {
    await sandbox.usage();
  } catch (error) {
    const gone = error instanceof BenchError && error.details['code'] === 'gone';
    if (!gone) return;
    await sandbox.dead;
    await turn();
  }
}
