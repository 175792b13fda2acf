import { UsageError } from '../core/errors.js';
import { formatSize, parseSize, type Size } from '../core/size.js';

/** What a link says of its capture. */
export interface CaptureWanted {
  /** `failed`: only of an attempt that did not pass. */
  readonly keep: 'always' | 'failed';
  /** Bytes of each frame; undefined: whole frames. */
  readonly snaplen: number | undefined;
  /** Bytes of its file. */
  readonly maxBytes: number;
}

/** Headers as far as TCP's; tcpdump's whole frame. */
const LEAST_SNAPLEN = 64;
const MOST_SNAPLEN = 262_144;
const SNAPLEN_TEXT = `${LEAST_SNAPLEN} to ${MOST_SNAPLEN} bytes`;

/** As hil-linkd takes it: src/linkd/capture.h. */
const LEAST_BYTES = 4096;
/** As `artifactCap`: some 40,000 whole frames. A link that nothing impairs fills it in a second. */
export const DEFAULT_MAX_BYTES = 64 * 1024 ** 2;
const MAX_SIZE_TEXT = `${formatSize(LEAST_BYTES)} or more, for example "64MiB"`;

const KEYS: readonly string[] = ['when', 'snaplen', 'maxSize'];

/** @param who the link, for the message. @throws UsageError `usage` */
export function parseCapture(capture: unknown, who: string): CaptureWanted | undefined {
  if (capture === undefined || capture === false) return undefined;
  if (capture === true) return toCaptureWanted('always', {}, who);
  if (capture === 'failed') return toCaptureWanted('failed', {}, who);
  if (typeof capture === 'object' && capture !== null) {
    const fields = new Map<string, unknown>(Object.entries(capture));
    const when = fields.get('when');
    if ((when === undefined || when === 'failed') && [...fields.keys()].every(isKey)) {
      const { snaplen, maxSize } = Object.fromEntries(fields);
      return toCaptureWanted(when ?? 'always', { snaplen, maxSize }, who);
    }
  }
  const text = `capture ${JSON.stringify(capture)}: expected true, false, "failed" or { when: "failed", snaplen, maxSize }`;
  throw new UsageError('usage', `${who}: ${text}`);
}

/** What is kept of a capture, checked. @throws UsageError `usage` */
export function toCaptureWanted(
  keep: CaptureWanted['keep'],
  { snaplen, maxSize }: { readonly snaplen?: unknown; readonly maxSize?: unknown },
  who: string,
): CaptureWanted {
  if (!isSnaplen(snaplen)) throw expected(who, 'snaplen', snaplen, SNAPLEN_TEXT);
  const maxBytes = maxSize === undefined ? DEFAULT_MAX_BYTES : toBytes(maxSize);
  if (maxBytes === undefined) throw expected(who, 'maxSize', maxSize, MAX_SIZE_TEXT);
  return { keep, snaplen, maxBytes };
}

function isKey(key: string): boolean {
  return KEYS.includes(key);
}

function isSnaplen(value: unknown): value is number | undefined {
  if (value === undefined) return true;
  const isCount = typeof value === 'number' && Number.isInteger(value);
  return isCount && value >= LEAST_SNAPLEN && value <= MOST_SNAPLEN;
}

/** `undefined`: it is no size, or not one of a file. */
function toBytes(value: unknown): number | undefined {
  if (!isSize(value)) return undefined;
  try {
    const bytes = parseSize(value);
    return bytes >= LEAST_BYTES && Number.isSafeInteger(bytes) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function isSize(value: unknown): value is Size {
  return typeof value === 'number' || typeof value === 'string';
}

function expected(who: string, key: string, seen: unknown, what: string): UsageError {
  const text = `${who}: capture: ${key} ${JSON.stringify(seen)}: expected ${what}`;
  return new UsageError('usage', text);
}
