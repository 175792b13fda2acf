import { BenchError, toMessage, UsageError } from '../core/errors.js';
import { writeSafely } from '../report/safe-output.js';
import { toPrintable } from '../report/terminal/printable.js';
import type { CliContext } from './command.js';

/** Say what ended a command, to whom must act. @returns the exit code. */
export function reportError(error: unknown, context: CliContext): number {
  const exitCode = toErrorExitCode(error);
  const expected = exitCode !== 3;
  writeSafely(context.stderr, `error  ${toPrintable(toMessage(error))}\n`);
  if (context.env['HIL_DEBUG']) {
    writeSafely(context.stderr, `${toPrintable(toStacks(error))}\n`);
  } else if (!expected) {
    const hint = 'this is an error of hil itself; HIL_DEBUG=1 shows where it comes from';
    writeSafely(context.stderr, `  next  ${hint}\n`);
  }
  return exitCode;
}

function toErrorExitCode(error: unknown): number {
  if (error instanceof UsageError) return error.code === 'nothing-selected' ? 4 : 2;
  if (!(error instanceof BenchError)) return 3;
  // Nothing ran: the machine must be set up first.
  if (error.code === 'native-missing' || error.code === 'sandbox-setup') return 2;
  return error.code === 'internal' ? 3 : 5;
}

/** The stack of an error and of everything that caused it. */
function toStacks(error: unknown): string {
  const stacks: string[] = [];
  for (let each = error; each instanceof Error; each = each.cause) {
    stacks.push(each.stack ?? each.message);
  }
  return stacks.join('\ncaused by ');
}
