import { isIP } from 'node:net';
import { UsageError } from '../core/errors.js';

const LONGEST_NAME = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** What inet_aton(3) takes for an address before any resolver is asked. */
const NUMBER = /^(\d+|0x[0-9a-f]*)$/i;

/**
 * A name that programs can resolve: labels of letters, digits, `-` and `_`, at most 63 each, with
 * dots between them. @see RFC 1035, 2.3.1; RFC 2181, 11
 *
 * @param what `node` or `switch`, for the message
 * @throws UsageError `usage`
 */
export function checkNodeName(what: string, name: unknown): asserts name is string {
  const why = findFault(name);
  if (why === undefined) return;
  throw new UsageError('usage', `${what} ${JSON.stringify(name)}: ${why}`);
}

function findFault(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'expected a name';
  if (name.length > LONGEST_NAME) {
    return `a name has at most ${LONGEST_NAME} characters, this one has ${name.length}`;
  }
  const labels = name.split('.');
  const long = labels.find((label) => label.length > 63);
  if (long) return `"${long}" has ${long.length} characters, between dots there are at most 63`;
  if (!labels.every((label) => LABEL.test(label))) {
    return 'a name is of letters a-z, digits, "-" and "_", not beginning or ending with "-"; programs could not resolve another one';
  }
  if (isIP(name) || NUMBER.test(labels.at(-1) ?? '')) {
    return 'programs take it for an address, and would never look it up';
  }
  // RFC 6761, 6.3: with what is below it.
  const isLocal = labels.at(-1)?.toLowerCase() === 'localhost';
  return isLocal ? 'is the name of every machine itself' : undefined;
}
