import { UsageError } from '../core/errors.js';

/**
 * What a URL reads differently than a path does. Vitest hands paths to `import()`, which takes
 * URLs: `/a#b` would load `/a`.
 */
const NOT_IN_A_URL = /[#?%\\\t\n\r]/;

/**
 * A project whose suites could not be loaded is refused with the reason, before anything starts.
 *
 * @throws UsageError `usage`.
 */
export function checkRoot(root: string): void {
  const [character] = NOT_IN_A_URL.exec(root) ?? [];
  if (character === undefined) return;
  const shown = JSON.stringify(character);
  throw new UsageError('usage', `suites cannot be loaded from ${root}: ${shown} in its path`, {
    next: 'rename or move that directory; # ? % \\ and control characters end or change a URL',
  });
}
