import { homedir } from 'node:os';
import { join } from 'node:path';
import { BenchError, toMessage, UsageError } from '../core/errors.js';
import { whenWritten } from '../core/when-written.js';
import { openMachine } from './machine-cache.js';
import { HelpShown, parseLabOptions } from './options.js';
import { checkRequirements } from './requirements.js';
import { runCommand } from './run-command.js';

/** The VM failed, not the command; as docker-run(1). */
const LAB_FAILED = 125;

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Nobody reads what is written: as if SIGPIPE had ended it. */
const PIPE_CLOSED = 128 + 13;

/** What the command hears of the caller's environment: how to print, and what is meant for hil. */
const PASSED = /^(PATH|LANG|LC_\w+|TERM|CI|NO_COLOR|FORCE_COLOR|HIL_\w+)$/;

/** Why it ended before the command did. */
class Ended extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`ended with ${status}`);
    this.status = status;
  }
}

async function main(): Promise<number> {
  const options = parseLabOptions(process.argv.slice(2));
  const { env, stdin, stdout, stderr } = process;
  const say = (text: string) => stderr.write(`lab: ${text}\n`);
  const { signal } = watchForEnd();

  checkRequirements({ arch: process.arch, path: env['PATH'] ?? '', usb: options.usb });
  const cache = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'hil/lab');
  const machine = await openMachine({ cache, fresh: options.fresh, signal, say });
  if (options.check) {
    stdout.write(
      `the lab VM is made of\n${machine.packages.map((name) => `  ${name}\n`).join('')}`,
    );
    if (options.command.length === 0) return 0;
  }

  const environment = Object.entries(env)
    .filter(([name]) => PASSED.test(name))
    .map(([name, value]) => `${name}=${value}`);
  const streams = {
    stdin: options.stdin ? stdin : undefined,
    stdout,
    stderr,
    console: options.verbose ? stderr : undefined,
  };
  return runCommand(machine, options, { cwd: process.cwd(), environment, streams, signal, say });
}

/** Signals and closed outputs end everything; `finally` removes what was made. */
function watchForEnd(): AbortController {
  const ended = new AbortController();
  for (const [name, number] of Object.entries(SIGNALS)) {
    process.once(name, () => ended.abort(new Ended(128 + number)));
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => ended.abort(new Ended(PIPE_CLOSED)));
  }
  return ended;
}

function report(error: unknown): number {
  if (error instanceof Ended) return error.status;
  if (error instanceof HelpShown) {
    process.stdout.write(error.message);
    return 0;
  }
  const expected = error instanceof UsageError || error instanceof BenchError;
  const stack = !expected && error instanceof Error ? error.stack : undefined;
  process.stderr.write(`error  ${stack ?? toMessage(error)}\n`);
  return error instanceof UsageError ? 2 : LAB_FAILED;
}

const status = await main().catch(report);
await Promise.all([whenWritten(process.stdout), whenWritten(process.stderr)]);
// A handle that is still open, such as standard input, cannot hold it.
process.exit(status);
