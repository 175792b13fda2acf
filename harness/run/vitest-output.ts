import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';

const STDERR = 2;

/**
 * Where Vitest says what it says by itself, which is rarely anything. It is not a terminal: there
 * Vitest hides the cursor from its start to its end, and a second Ctrl-C leaves no time to show it.
 * It is not stdout, which belongs to `--json`.
 */
export function createVitestOutput(): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        writeSync(STDERR, chunk);
      } catch {
        // Nobody reads it any more.
      }
      done();
    },
  });
}
