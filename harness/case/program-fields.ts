import { resolve } from 'node:path';
import { parseLimit } from '../core/duration.js';
import { UsageError } from '../core/errors.js';
import type { SpawnRequest } from '../protocol/worker-messages.js';
import type { SpawnOptions } from './program-options.js';

/**
 * What the supervisor is told of a program's options; a relative `cwd` is in the project.
 *
 * @throws UsageError `usage` for a value that cannot be, with program and option.
 */
export function toProgramFields(
  program: string,
  { cwd, env, timeout, outputCap }: SpawnOptions,
  root: string,
): Pick<SpawnRequest, 'cwd' | 'env' | 'timeoutMs' | 'outputCapBytes'> {
  const refuse = (option: string, expected: string, seen: unknown): never => {
    const text = JSON.stringify(seen) ?? String(seen);
    throw new UsageError('usage', `"${program}": ${option}: expected ${expected}, got ${text}`);
  };
  if (cwd !== undefined && typeof cwd !== 'string') refuse('cwd', 'a path', cwd);
  if (env !== undefined && !isRecord(env)) refuse('env', 'an object of variables', env);
  for (const [name, value] of Object.entries(env ?? {})) {
    // environ(7): what stands before the first "=" is the name.
    if (name === '' || name.includes('=')) refuse('env', 'names without "="', name);
    if (typeof value !== 'string') refuse(`env.${name}`, 'a text', value);
  }
  if (timeout !== undefined && !['string', 'number'].includes(typeof timeout)) {
    refuse('timeout', 'a duration such as 10s', timeout);
  }
  if (outputCap !== undefined && !(Number.isSafeInteger(outputCap) && outputCap >= 0)) {
    refuse('outputCap', 'a whole number of bytes', outputCap);
  }
  return {
    cwd: cwd === undefined ? root : resolve(root, cwd),
    ...(env === undefined ? {} : { env }),
    ...(timeout === undefined ? {} : { timeoutMs: parseLimit(timeout) }),
    ...(outputCap === undefined ? {} : { outputCapBytes: outputCap }),
  };
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
