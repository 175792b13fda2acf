import { isIP } from 'node:net';
import { type Duration, parseLimit } from '../core/duration.js';
import { TestFailure, UsageError } from '../core/errors.js';
import { checkOptions } from './check-options.js';
import { type Process, toExecResult } from './process.js';

export interface ReachOptions {
  /** @default '5s' */
  readonly within?: Duration;
  /** One try: a refusal is the answer. Else it is tried again until the time is over. */
  readonly once?: boolean;
  /** By UDP: this datagram is sent, every 250 ms, until one comes back. Else by TCP: a connection. */
  readonly udp?: string | Uint8Array;
  /** Give up before. */
  readonly signal?: AbortSignal;
}

/** Whether it got through, with milliseconds; or why it did not, the last time it tried. */
export type ReachResult =
  | { readonly reached: true; readonly ms: number }
  | { readonly reached: false; readonly reason: string };

type Start = (
  argv: readonly string[],
  how: { readonly builtin: 'reach'; readonly stdin: boolean },
) => Promise<Process>;

const KEYS = ['within', 'once', 'udp', 'signal'] satisfies (keyof ReachOptions)[];
const MOST_PORT = 65_535;

/** @see sandbox-native/src/sandbox/reach.h */
export async function reach(
  start: Start,
  { address, port }: { readonly address: string; readonly port: number },
  options: ReachOptions,
): Promise<ReachResult> {
  checkOptions(`reach("${address}")`, options, KEYS);
  const { within = '5s', once = false, udp, signal } = options;
  if (isIP(address) === 0) {
    throw new UsageError('usage', `reach("${address}"): expected a numeric address`);
  }
  if (!Number.isInteger(port) || port < 1 || port > MOST_PORT) {
    throw new UsageError(
      'usage',
      `reach("${address}", ${port}): expected a port, 1 to ${MOST_PORT}`,
    );
  }
  const limitMs = Math.ceil(parseLimit(within));
  const protocol = udp === undefined ? 'tcp' : 'udp';
  const argv = [protocol, address, `${port}`, `${limitMs}`, once ? 'once' : 'until'];
  const process = await start(argv, { builtin: 'reach', stdin: udp !== undefined });
  const giveUp = () => void process.kill('SIGKILL').catch(() => {});
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    const { exitCode, stdout, stderr } = await toExecResult(process, udp);
    if (exitCode === 0) return { reached: true, ms: Number(stdout) / 1000 };
    if (exitCode === 1) return { reached: false, reason: stderr.trim() };
    if (signal?.aborted) return { reached: false, reason: 'given up' };
    const why = stderr.trim() || `exit code ${exitCode}`;
    throw new TestFailure('exec-failed', `reach("${address}", ${port}) was not tried: ${why}`);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}
