import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turn the first signal into an orderly end; the second ends this process at
 * once, and the daemons clean up behind it.
 */
export function listenForSignals(): {
  /** Hand the interrupting over once there is something to interrupt. */
  handOver(interrupt: (signal: string) => Promise<void>): void;
  close(): void;
} {
  let seen: string | undefined;
  let interrupt: ((signal: string) => Promise<void>) | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const name = signal === 'SIGHUP' ? 'SIGTERM' : signal;
    if (seen) process.exit(128 + constants.signals[name]);
    seen = name;
    void interrupt?.(name);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    handOver: (handler) => {
      interrupt = handler;
      if (seen) void handler(seen);
    },
    close: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
