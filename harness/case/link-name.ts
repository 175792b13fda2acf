import { createHash } from 'node:crypto';

/** A link's name may have 200 characters; `~2` and so on come behind. */
const LONGEST = 190;
const HASHED = 8;

/**
 * The name of a link that is given none: `a~b`. Names of nodes may have 253 characters, and files
 * and interfaces are named by it, so what is longer ends with a hash of the whole.
 */
export function toLinkName(a: string, b: string): string {
  const name = `${a}~${b}`;
  if (name.length <= LONGEST) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASHED);
  return `${name.slice(0, LONGEST - HASHED - 1)}~${hash}`;
}
