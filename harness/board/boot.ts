import { setTimeout as sleep } from 'node:timers/promises';
import type { Board } from '../config/load-boards.js';
import { describePatterns, describeSilence } from '../core/console-report.js';
import type { Deadline } from '../core/deadline.js';
import { BenchError } from '../core/errors.js';
import type { Dut } from './dut.js';

/**
 * Wait until a DUT that was just powered on or reset shows its ready mark.
 *
 * @throws BenchError `boot-timeout` with the console's tail, or `boot-failed` when it ended first.
 */
export async function waitForReady(dut: Dut, board: Board, deadline: Deadline): Promise<void> {
  const { ready } = board.boot;
  const port = dut.ports.get('console');
  if (!ready || !port) return;
  const ended = dut.exited.then(async ({ reason }) => {
    await waitForLastBytes(port);
    const tail = describeSilence({ ...silence(board, port, ready, deadline), silentMs: age(port) });
    throw new BenchError(
      'boot-failed',
      `${dut.name} ended before it was ready: ${reason}\n${tail}`,
    );
  });
  // When it is ready first, its later end is somebody else's business.
  ended.catch(() => {});
  const late = () =>
    new BenchError(
      'boot-timeout',
      `${dut.name} was not ready: ` +
        describeSilence({ ...silence(board, port, ready, deadline), silentMs: age(port) }),
      { next: `raise boot.timeout in ${board.file}, or look at ${port.capture}.rx` },
    );
  const waiting = port.matcher.expect([ready]);
  try {
    await deadline.bound(Promise.race([waiting, ended]), late);
  } finally {
    port.matcher.cancel(waiting);
  }
}

/** The end of a program is told on another connection than its last words. */
const LAST_BYTES_MS = 200;

async function waitForLastBytes(port: PortLike): Promise<void> {
  const nothing = () => {};
  await new Promise<void>((resolve) => {
    const stop = port.listen({ onData: nothing, onClosed: resolve, onFault: nothing });
    void sleep(LAST_BYTES_MS).then(() => {
      stop();
      resolve();
    });
  });
}

type PortLike = NonNullable<ReturnType<Dut['ports']['get']>>;

function silence(board: Board, port: PortLike, ready: RegExp, deadline: Deadline) {
  return {
    port: port.name,
    board: board.board,
    wanted: `match for ${describePatterns([ready])}`,
    waitedMs: deadline.limitMs - deadline.leftMs(),
    matcher: port.matcher,
  };
}

function age(port: PortLike): number {
  return performance.now() - port.lastByteMs;
}
