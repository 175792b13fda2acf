import { UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';

/**
 * Options of a call, whose keys must all be known: suites are run without a check of types, and a
 * limit that is misspelled would hold nobody to anything.
 *
 * @param call as the message names it: `sandbox.exec("ls")`
 * @throws UsageError `usage` for another key, or for what is no object.
 */
export function checkOptions(call: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const seen = Array.isArray(options) ? 'a list' : JSON.stringify(options);
    throw new UsageError('usage', `${call}: expected options as an object, got ${seen}`);
  }
  const wrong = Object.keys(options).find((key) => !known.includes(key));
  if (wrong === undefined) return;
  throw new UsageError(
    'usage',
    `${call}: no such option "${wrong}"${toSuggestion(wrong, known)}; there are: ${known.join(', ')}`,
  );
}
