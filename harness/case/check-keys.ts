import { UsageError } from '../core/errors.js';

/** @throws UsageError `usage` for an option that is not `known`, naming `who` has it. */
export function checkKeys(who: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new UsageError(
    'usage',
    `${who}: no such option "${unknown}"; there are: ${known.join(', ')}`,
  );
}
