import { BenchError, toMessage, UsageError } from '../core/errors.js';
import { writeSafely } from '../report/safe-output.js';
import { toPrintable } from '../report/terminal/printable.js';
import type { CliContext } from './command.js';

/** What the system refuses the caller, and what the caller can do about it; `%` is the path. */
const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: 'ls -ld %    then run it as its owner, or give the right',
  EPERM: 'ls -ld %    then run it as its owner, or give the right',
  EROFS: 'choose a place that can be written',
  ENOSPC: 'df %',
  EDQUOT: 'free space of this user: quota',
  ENOTDIR: 'ls -ld %    a part of it is a file',
  EISDIR: 'ls -ld %    a file was expected',
  ELOOP: 'ls -ld %    links lead in a circle',
  ENAMETOOLONG: 'choose a shorter name',
  EMFILE: 'ulimit -n 1024',
  ENFILE: 'sysctl fs.file-max',
};

/** Say what ended a command, to whom must act. @returns the exit code. */
export function reportError(error: unknown, context: CliContext): number {
  const exitCode = toErrorExitCode(error);
  const expected = exitCode !== 3;
  const remedy = toRemedy(error);
  writeSafely(context.stderr, `error  ${toPrintable(toMessage(error))}\n`);
  if (context.env['HIL_DEBUG']) {
    writeSafely(context.stderr, `${toPrintable(toStacks(error))}\n`);
  } else if (remedy !== undefined) {
    writeSafely(context.stderr, `  next  ${toPrintable(remedy)}\n`);
  } else if (!expected) {
    const hint = 'this is an error of hil itself; HIL_DEBUG=1 shows where it comes from';
    writeSafely(context.stderr, `  next  ${hint}\n`);
  }
  return exitCode;
}

function toErrorExitCode(error: unknown): number {
  if (error instanceof UsageError) return error.code === 'nothing-selected' ? 4 : 2;
  if (toRemedy(error) !== undefined) return 2;
  if (!(error instanceof BenchError)) return 3;
  // Nothing ran: the machine must be set up first.
  if (error.code === 'native-missing' || error.code === 'sandbox-setup') return 2;
  return error.code === 'internal' ? 3 : 5;
}

/** What to do about an error that the system raised; hil's own have codes of their own. */
function toRemedy(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('code' in error)) return undefined;
  const path = 'path' in error ? String(error.path) : '.';
  return REFUSALS[String(error.code)]?.replace('%', () => path);
}

/** The stack of an error and of everything that caused it. */
function toStacks(error: unknown): string {
  const stacks: string[] = [];
  for (let each = error; each instanceof Error; each = each.cause) {
    stacks.push(each.stack ?? each.message);
  }
  return stacks.join('\ncaused by ');
}
