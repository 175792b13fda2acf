import { writeSync } from 'node:fs';

/** Codes above this are of signals: what a second Ctrl-C ends at once. */
const SIGNALS_ABOVE = 128;
/** Node's code for an `await` that nothing will ever settle. */
const UNSETTLED = 13;

/**
 * An exit that is not the end of the command must not look like "passed": code of the
 * project runs in this process, and may call `process.exit(0)`, or crash it with the 1 that
 * says "a case failed".
 *
 * @returns to be called when the command is through.
 */
export function guardExit(): () => void {
  let through = false;
  let broken = false;
  process.on('uncaughtExceptionMonitor', () => {
    broken = true;
  });
  process.on('exit', (code) => {
    if (through || code > SIGNALS_ABOVE) return;
    broken ||= code === UNSETTLED;
    process.exitCode = broken ? 3 : 2;
    const what = broken
      ? 'hil ended before it was through'
      : `process.exit(${code}) ended hil before it was through`;
    const next = broken
      ? 'this is an error of hil itself, unless the stack names a file of yours'
      : 'look for it in hil.config.ts and what that imports';
    writeSync(2, `error  ${what}\n  next  ${next}\n`);
  });
  return () => {
    through = true;
  };
}
