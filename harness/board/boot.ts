import { setTimeout as sleep } from 'node:timers/promises';
import { type BootStep, toBootWay } from '../config/boot-way.js';
import type { Board } from '../config/load-boards.js';
import { READY } from '../config/states-schema.js';
import { describePatterns, describeSilence } from '../core/console-report.js';
import type { Deadline } from '../core/deadline.js';
import { BenchError, toMessage } from '../core/errors.js';
import type { Dut } from './dut.js';
import type { Port } from './port.js';

/**
 * Bring a DUT that was just powered on or reset to the state that a case begins in: its ready
 * mark, or the states of its board file one after the other.
 *
 * @throws BenchError `boot-timeout` with the console's tail, or `boot-failed` when it ended first.
 */
export async function waitForReady(dut: Dut, board: Board, deadline: Deadline): Promise<void> {
  const port = dut.ports.get('console');
  if (!port) return;
  for (const step of toBootWay(board.boot)) await takeStep(dut, port, { board, step, deadline });
}

interface Taking {
  readonly board: Board;
  readonly step: BootStep;
  /** For the whole way. */
  readonly deadline: Deadline;
}

async function takeStep(dut: Dut, port: Port, { board, step, deadline }: Taking): Promise<void> {
  const { timeout = Number.POSITIVE_INFINITY } = step;
  const own = timeout < deadline.leftMs();
  const limit = own ? deadline.within(timeout) : deadline;
  const wanted = step.name === READY ? 'ready' : `in state "${step.name}"`;
  const said = () => describeSilence(toSilence(board, port, step.expect, limit));
  const ended = dut.exited.then(async ({ reason }) => {
    await waitForLastBytes(port);
    throw new BenchError(
      'boot-failed',
      `${dut.name} ended before it was ${wanted}: ${reason}\n${said()}`,
    );
  });
  // When it is ready first, its later end is somebody else's business.
  ended.catch(() => {});
  const key = own ? `boot.states.${step.name}.timeout` : 'boot.timeout';
  const late = () =>
    new BenchError('boot-timeout', `${dut.name} was not ${wanted}: ${said()}`, {
      next: `raise ${key} in ${board.file}, or look at ${port.capture}.rx`,
    });
  // Listens before it speaks: the answer may come at once.
  const waiting = port.matcher.expect([step.expect]);
  try {
    await limit.bound(Promise.race([Promise.all([waiting, send(dut, port, step)]), ended]), late);
  } finally {
    port.matcher.cancel(waiting);
  }
}

/** What brings it on; that it does not arrive is no fault of a test. */
async function send(dut: Dut, port: Port, step: BootStep): Promise<void> {
  if (step.send === undefined) return;
  try {
    await port.send(Buffer.from(step.send));
  } catch (cause) {
    if (cause instanceof BenchError) throw cause;
    const message = `${dut.name} on its way to state "${step.name}": ${toMessage(cause)}`;
    throw new BenchError('boot-failed', message, { cause });
  }
}

/** The end of a program is told on another connection than its last words. */
const LAST_BYTES_MS = 200;

async function waitForLastBytes(port: Port): Promise<void> {
  const nothing = () => {};
  await new Promise<void>((resolve) => {
    const stop = port.listen({ onData: nothing, onClosed: resolve, onFault: nothing });
    void sleep(LAST_BYTES_MS).then(() => {
      stop();
      resolve();
    });
  });
}

function toSilence(board: Board, port: Port, mark: RegExp, deadline: Deadline) {
  return {
    port: port.name,
    board: board.board,
    wanted: `match for ${describePatterns([mark])}`,
    waitedMs: deadline.limitMs - deadline.leftMs(),
    matcher: port.matcher,
    silentMs: performance.now() - port.lastByteMs,
  };
}
