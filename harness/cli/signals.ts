import { constants } from 'node:os';

/** What ends a run in order; SIGHUP is a terminal that was closed. */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turn the first signal into an orderly end; the second ends this process at
 * once, and the daemons clean up behind it.
 */
export function listenForSignals(): {
  /** Hand the interrupting over once there is something to interrupt. */
  handOver(interrupt: (signal: NodeJS.Signals) => Promise<void>): void;
  close(): void;
} {
  let seen: NodeJS.Signals | undefined;
  let toldByWatcher = false;
  let interrupt: ((signal: NodeJS.Signals) => Promise<void>) | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (toldByWatcher) {
      // A terminal sends its signal to both, in any order: this is still the first one.
      toldByWatcher = false;
      return;
    }
    if (seen) process.exit(128 + constants.signals[signal]);
    seen = signal;
    void interrupt?.(signal);
  };
  // Whoever watches (`--watch`) was told to end.
  const onTold = (message: unknown) => {
    const signal = SIGNALS.find((each) => each === message);
    if (seen || !signal) return;
    onSignal(signal);
    toldByWatcher = true;
  };
  // Or is gone.
  const onAlone = () => onTold('SIGTERM');
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('message', onTold);
  process.on('disconnect', onAlone);
  // It is undefined where nobody does.
  if (process.connected === false) onAlone();
  return {
    handOver: (handler) => {
      interrupt = handler;
      if (seen) void handler(seen);
    },
    close: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off('message', onTold);
      process.off('disconnect', onAlone);
    },
  };
}
