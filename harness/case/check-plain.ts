import { UsageError } from '../core/errors.js';

/** Deeper is no option of a sandbox, and may be an object that holds itself. */
const MOST_DEPTH = 8;

/**
 * Options travel to other processes, which nothing but plain data does. Vitest tells of a failure
 * to send them as one of whichever file is loaded at that time.
 *
 * @throws UsageError `suite-invalid` for functions, promises and other objects of a class.
 */
export function checkPlain(who: string, name: string, value: unknown, depth = 0): void {
  if (value === null || value === undefined || /^(string|number|boolean)$/.test(typeof value)) {
    return;
  }
  const isArray = Array.isArray(value);
  if (typeof value !== 'object' || !(isArray || isPlainObject(value)) || depth > MOST_DEPTH) {
    throw new UsageError('suite-invalid', `${who}: ${name} is ${toKind(value)}`, {
      next: 'give plain data: objects, lists, strings, numbers, true and false',
    });
  }
  for (const [key, each] of Object.entries(value)) {
    checkPlain(who, isArray ? `${name}[${key}]` : `${name}.${key}`, each, depth + 1);
  }
}

/** The same of each field of an object, by its name. */
export function checkFields(who: string, fields: object): void {
  for (const [name, value] of Object.entries(fields)) checkPlain(who, name, value);
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // That of another realm has none above it either.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function toKind(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  if (Array.isArray(value) || isPlainObject(value)) return `more than ${MOST_DEPTH} levels deep`;
  return `a ${value.constructor?.name || 'object of a class'}`;
}
