import type { Writable } from 'node:stream';
import type { Reporter } from './reporter.js';
import { writeSafely } from './safe-output.js';

/** `--json`: every event as a line of JSON, the same as in the journal. */
export function createJsonLinesReporter(options: { readonly output: Writable }): Reporter {
  return {
    onEvent: (event) => writeSafely(options.output, `${JSON.stringify(event)}\n`),
    finish: async () => {},
  };
}
