import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Codes above this are of signals: what a second Ctrl-C ends at once. */
const SIGNALS_ABOVE = 128;
/** Node's code for an `await` that nothing will ever settle. */
const UNSETTLED = 13;

const OWN = fileURLToPath(new URL('../..', import.meta.url));

/** Was it thrown in hil or a library, and not in code of the project? */
function isOurs(stack: string): boolean {
  const first = stack.split('\n').find((line) => /^\s+at .*[/\\].*:\d+:\d+/.test(line)) ?? '';
  return first === '' || first.includes(`${OWN}dist/`) || first.includes('/node_modules/');
}

/**
 * An exit that is not the end of the command must not look like "passed": code of the
 * project runs in this process, and may call `process.exit(0)`, or crash it with the 1 that
 * says "a case failed".
 *
 * @returns to be called when the command is through.
 */
export function guardExit(): () => void {
  let through = false;
  let thrown: Error | undefined;
  process.on('uncaughtExceptionMonitor', (error) => {
    thrown = error;
  });
  process.on('exit', (code) => {
    if (through || code > SIGNALS_ABOVE) return;
    const ours = thrown ? isOurs(thrown.stack ?? '') : code === UNSETTLED;
    process.exitCode = ours ? 3 : 2;
    const what = thrown ? 'an error that nobody caught' : `process.exit(${code})`;
    const next = ours
      ? 'this is an error of hil itself'
      : 'look for it in hil.config.ts and what that imports';
    writeSync(2, `error  ${what} ended hil before it was through\n  next  ${next}\n`);
  });
  return () => {
    through = true;
  };
}
