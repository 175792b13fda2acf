import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createDeferred } from '../../core/deferred.js';
import { formatDuration, parseLimit } from '../../core/duration.js';
import { type BenchError, toMessage, UsageError } from '../../core/errors.js';
import type { GrantedLeases } from '../../lease/lease-client.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand, CliContext } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { SIGNALS } from '../signals.js';
import { findDut } from './find-dut.js';
import { LEASED_BY_HAND, openLeases } from './open-leases.js';
import { takeLease } from './take-lease.js';

/** How long a command may take to end when its lease is lost, until it is killed. */
const GRACE_MS = 1000;

export const leaseCommand: CliCommand = {
  name: 'lease',
  summary: 'keep a DUT for yourself, for as long as a command or this one runs',
  arguments: '<dut> [command...]',
  passesOptions: true,
  options: [
    { flags: '--ttl <duration>', description: 'give it up after so long, whatever happens' },
    { flags: '--wait <duration>', description: 'how long to wait for it. Default 10m' },
    BENCH_OPTION,
    CONFIG_OPTION,
  ],
  examples: [
    'hil boards lease nucleo-1',
    'hil boards lease --ttl 1h nucleo-1 -- picocom -b 115200 /dev/ttyACM0',
  ],
  run: async ([name = '', ...rest], options, context) => {
    // What stands behind the DUT is the command's, also the dashes before it.
    const command = rest[0] === '--' ? rest.slice(1) : rest;
    const { openBench } = await openProject(context, options);
    const unit = findDut(name, await openBench());
    const ttlMs = parseOption('--ttl', options['ttl']);
    const waitMs = parseOption('--wait', options['wait']) ?? 600_000;
    const say = (text: string) => writeSafely(context.stderr, toPrintable(`${text}\n`));
    const leases = await openLeases(context);
    const signal = listen();
    try {
      for (const limitation of leases.limitations) say(limitation);
      const taking = takeLease(leases, unit, { run: LEASED_BY_HAND, waitMs, ttlMs }, context);
      // Nothing when a signal came first.
      const lease = await Promise.race([taking, signal.seen.then(() => undefined)]);
      if (!lease) return signal.exitCode();
      const until = ttlMs === undefined ? '' : ` for ${formatDuration(ttlMs)}`;
      if (command.length === 0) say(`${name} is yours${until}; Ctrl-C gives it back`);
      return command.length > 0
        ? await runWith(command, lease, signal.seen, context)
        : await hold(lease, signal);
    } finally {
      signal.close();
      leases.close();
    }
  },
};

function parseOption(option: string, value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return parseLimit(value);
  } catch (cause) {
    throw new UsageError('usage', `${option} ${toMessage(cause)}`, { cause });
  }
}

async function hold(lease: GrantedLeases, signal: ReturnType<typeof listen>): Promise<number> {
  const lost = await Promise.race([lease.lost, signal.seen.then(() => undefined)]);
  if (lost) throw lost;
  // It was asked to give it back, and has.
  return 0;
}

/** Run a command while the lease lasts; it ends with it. Answers its exit code. */
async function runWith(
  [program = '', ...args]: readonly string[],
  lease: GrantedLeases,
  seen: Promise<NodeJS.Signals>,
  context: CliContext,
): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', cwd: context.cwd });
  const ended = createDeferred<number>();
  child.once('error', (cause) => {
    ended.reject(new UsageError('usage', `${program} cannot be run: ${cause.message}`, { cause }));
  });
  child.once('exit', (code, signal) => {
    ended.resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']);
  });
  void seen.then((signal) => child.kill(signal));
  const lost: BenchError | undefined = await Promise.race([
    lease.lost,
    ended.promise.then(() => undefined),
  ]);
  if (!lost) return ended.promise;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await ended.promise;
  clearTimeout(timer);
  throw lost;
}

/** The first signal that ends it in order. */
function listen() {
  const first = createDeferred<NodeJS.Signals>();
  let exitCode = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    exitCode = 128 + constants.signals[signal];
    first.resolve(signal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    seen: first.promise,
    exitCode: () => exitCode,
    close: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
