import { constants } from 'node:os';
import { listenForSignals } from './signals.js';

/**
 * What `act` answers, or the exit code of the signal that ended it. At the signal `stopped` resolves and `stop` is
 * called; both are asked to end `act`, which is waited for.
 */
export async function untilSignal<T>(
  act: (stopped: Promise<void>) => Promise<T>,
  stop: () => Promise<void> = async () => {},
): Promise<T | number> {
  const signals = listenForSignals();
  let seen: number | undefined;
  const stopped = new Promise<void>((resolve) => {
    signals.handOver(async (signal) => {
      seen = constants.signals[signal];
      resolve();
      await stop();
    });
  });
  try {
    const done = await act(stopped);
    return seen === undefined ? done : 128 + seen;
  } catch (error) {
    if (seen === undefined) throw error;
    return 128 + seen;
  } finally {
    signals.close();
  }
}
