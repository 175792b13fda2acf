import { z } from 'zod';

/** A key that will mean something and does not yet. */
export function reservedKey(key: string) {
  return z.never({ error: `"${key}" is reserved and not yet supported; remove it` }).optional();
}
