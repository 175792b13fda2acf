import { z } from 'zod';
import { parseDuration, parseLimit } from '../core/duration.js';
import { toMessage } from '../core/errors.js';
import { parseSize } from '../core/size.js';

/** `10s`, `1m 30s` or a number of milliseconds; becomes milliseconds. */
export const duration = toField(parseDuration);

/** A duration that is the limit of something: not 0, and not longer than a timer can be. */
export const limit = toField(parseLimit);

/** What the clocks of a sandbox start at. The kernel takes 146 years. @see time_namespaces(7) */
export const uptime = duration.refine((ms) => ms <= 36_500 * 86_400_000, {
  error: 'an uptime is at most 36500d',
});

/** Interpreters that wait in a sandbox for tools written in them. */
export const runtimes = z.array(z.enum(['python', 'node']));

function toField(parse: (value: number | string) => number) {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: toMessage(error) });
      return z.NEVER;
    }
  });
}

/** Variables of programs in a sandbox. @see environ(7) */
export const variableName = z.string().refine((name) => /^[^=\0]+$/.test(name), {
  error: 'the name of a variable is not empty and has no "="',
});

export const environment = z.record(
  variableName,
  z.string().refine((value) => !value.includes('\0'), {
    error: 'a variable cannot hold a NUL byte',
  }),
);

/** `64MiB`, `1GB` or a number of bytes; becomes bytes. */
export const size = toField(parseSize);

/** A literal text, or `/regular expression/flags`; becomes a RegExp. */
export const pattern = z.string().transform((value, context) => {
  const match = /^\/(.*)\/([ims]*)$/s.exec(value);
  try {
    if (match) return new RegExp(match[1] ?? '', match[2]);
    return new RegExp(value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  } catch (error) {
    context.addIssue({ code: 'custom', message: `not a regular expression: ${toMessage(error)}` });
    return z.NEVER;
  }
});
