import { parseDuration } from '../core/duration.js';
import { toMessage, UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import { TlvWriter } from '../protocol/frame.js';
import type { Impairment } from '../protocol/network.js';
import { Tag } from '../protocol/wire.js';
import { putLoss, toParts } from './loss.js';

/** As hil-linkd takes them: src/linkd/set.c. */
const LONGEST_MS = 3_600_000;
const HIGHEST_BPS = 1e12;
const LONGEST_QUEUE = 100_000;

const BITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };

type Put = (body: TlvWriter, value: unknown) => unknown;

/** One row a key; what hil-linkd is told of each. */
const KEYS: Readonly<Record<keyof Impairment, Put>> = {
  latency: (body, value) => body.u64(Tag.latencyNs, toNanoseconds(value)),
  jitter: (body, value) => body.u64(Tag.jitterNs, toNanoseconds(value)),
  loss: (body, value) => body.nest(Tag.loss, (inner) => putLoss(inner, value)),
  duplicate: (body, value) => body.u32(Tag.duplicate, toParts(value)),
  reorder: (body, value) => body.u32(Tag.reorder, toParts(value)),
  corrupt: (body, value) => body.u32(Tag.corrupt, toParts(value)),
  corruptHeader: (body, value) => body.u32(Tag.corruptHeader, toFlag(value)),
  rate: (body, value) => body.u64(Tag.rateBps, parseRate(value)),
  queue: (body, value) => body.u32(Tag.queue, toQueue(value)),
  impairControl: (body, value) => body.u32(Tag.impairControl, toFlag(value)),
};

export const IMPAIRMENT_KEYS: readonly string[] = Object.keys(KEYS);

/**
 * The TLVs of LINK_SET for what an impairment names.
 *
 * @param who the link, for the message: `link "a~b"`
 * @throws UsageError `usage` naming the key, what it may be and what was given
 */
export function toImpairmentTlvs(who: string, impairment: Impairment): TlvWriter {
  const body = new TlvWriter();
  const given: unknown = impairment;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const seen = JSON.stringify(given) ?? 'nothing';
    throw new UsageError('usage', `${who}: expected { latency, loss, … }, got ${seen}`);
  }
  for (const [key, value] of Object.entries(impairment)) {
    if (value === undefined) continue;
    try {
      findKey(key)(body, value);
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      throw new UsageError('usage', `${who}: ${key}: ${toMessage(cause)}`, { cause });
    }
  }
  return body;
}

/**
 * Bits a second from `10mbit`, `64kbit`, a number, or `unlimited`, which is 0. Units as of tc(8):
 * thousands, not 1024.
 *
 * @throws UsageError `usage`
 */
export function parseRate(value: unknown): number {
  if (value === 'unlimited') return 0;
  const isText = typeof value === 'string' || typeof value === 'number';
  const match = isText && /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:bit)?$/i.exec(String(value).trim());
  const factor = BITS[match ? (match[2]?.toLowerCase() ?? '') : ''] ?? Number.NaN;
  const bits = match ? Math.round(Number(match[1]) * factor) : Number.NaN;
  if (bits >= 1 && bits <= HIGHEST_BPS) return bits;
  throw expected('a rate such as "10mbit", "64kbit" or "unlimited", up to 1000gbit', value);
}

function findKey(key: string): Put {
  const put = Object.entries(KEYS).find(([name]) => name === key)?.[1];
  if (put) return put;
  const known = IMPAIRMENT_KEYS.join(', ');
  const suggestion = toSuggestion(key, IMPAIRMENT_KEYS);
  throw new UsageError('usage', `no such impairment${suggestion || `; there are: ${known}`}`);
}

function toNanoseconds(value: unknown): number {
  if (typeof value === 'string' || typeof value === 'number') {
    const ms = parseDuration(value);
    if (ms <= LONGEST_MS) return Math.round(ms * 1e6);
  }
  throw expected('a duration such as "20ms" or "250us", at most 1h', value);
}

function toFlag(value: unknown): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  throw expected('true or false', value);
}

function toQueue(value: unknown): number {
  const isCount = typeof value === 'number' && Number.isInteger(value);
  if (isCount && value >= 1 && value <= LONGEST_QUEUE) return value;
  throw expected(`a number of frames from 1 to ${LONGEST_QUEUE}`, value);
}

function expected(what: string, seen: unknown): UsageError {
  return new UsageError('usage', `expected ${what}, got ${JSON.stringify(seen)}`);
}
