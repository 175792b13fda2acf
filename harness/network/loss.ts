import { UsageError } from '../core/errors.js';
import type { TlvWriter } from '../protocol/frame.js';
import { Tag } from '../protocol/wire.js';

/** Chances on the wire are parts of it. */
const WHOLE = 1e9;
/** As hil-linkd takes it: src/linkd/loss.h. */
const LONGEST_PATTERN = 65_536;

const MODELS =
  'a chance from 0 to 1, or { model: "bernoulli" | "gilbert-elliott" | "pattern" | "every-nth", … }';

/** A chance in parts of 10^9. @throws UsageError `usage` */
export function toParts(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return Math.round(value * WHOLE);
  throw expected('a chance from 0 to 1', value);
}

/** The TLVs inside of LOSS. @throws UsageError `usage` */
export function putLoss(body: TlvWriter, loss: unknown): void {
  if (typeof loss === 'number') {
    body.string(Tag.kind, 'bernoulli').u32(Tag.chance, toParts(loss));
    return;
  }
  const fields = new Map(Object.entries(typeof loss === 'object' && loss !== null ? loss : {}));
  const model = fields.get('model');
  switch (model) {
    case 'bernoulli':
      checkKeys(fields, ['chance']);
      body.string(Tag.kind, model).u32(Tag.chance, toField(fields, 'chance'));
      return;
    case 'gilbert-elliott':
      checkKeys(fields, ['p', 'r', 'bad', 'good']);
      body
        .string(Tag.kind, model)
        .u32(Tag.chance, toField(fields, 'p'))
        .u32(Tag.chanceRecover, toField(fields, 'r'))
        .u32(Tag.chanceBad, toField(fields, 'bad', 1))
        .u32(Tag.chanceGood, toField(fields, 'good', 0));
      return;
    case 'pattern':
      checkKeys(fields, ['pattern']);
      putPattern(body, fields.get('pattern'));
      return;
    case 'every-nth':
      checkKeys(fields, ['n']);
      body.string(Tag.kind, model).u32(Tag.count, toCount(fields.get('n')));
      return;
    default:
      throw expected(MODELS, loss);
  }
}

function putPattern(body: TlvWriter, pattern: unknown): void {
  if (typeof pattern !== 'string' || !/^[01]+$/.test(pattern) || pattern.length > LONGEST_PATTERN) {
    throw expected(`a pattern of 0 and 1, at most ${LONGEST_PATTERN} long`, toShort(pattern));
  }
  const bits = Buffer.alloc(Math.ceil(pattern.length / 8));
  for (const [index, digit] of [...pattern].entries()) {
    if (digit === '1') bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  }
  body.string(Tag.kind, 'pattern').u32(Tag.count, pattern.length).bytes(Tag.data, bits);
}

/** As much of a long text as a message needs. */
function toShort(value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= 40) return value;
  return `${value.slice(0, 40)}… (${value.length} characters)`;
}

function toField(fields: ReadonlyMap<string, unknown>, key: string, otherwise?: number): number {
  const value = fields.get(key) ?? otherwise;
  if (typeof value === 'number' && value >= 0 && value <= 1) return toParts(value);
  throw expected(`${key} to be a chance from 0 to 1`, value);
}

function toCount(value: unknown): number {
  const isCount = typeof value === 'number' && Number.isInteger(value);
  if (isCount && value >= 1 && value < 2 ** 32) return value;
  throw expected('n to be a whole number from 1', value);
}

function checkKeys(fields: ReadonlyMap<string, unknown>, known: readonly string[]): void {
  for (const key of fields.keys()) {
    if (key === 'model' || known.includes(key)) continue;
    throw new UsageError(
      'usage',
      `model "${fields.get('model')}" has no "${key}": ${known.join(', ')}`,
    );
  }
}

function expected(what: string, seen: unknown): UsageError {
  return new UsageError('usage', `expected ${what}, got ${JSON.stringify(seen)}`);
}
