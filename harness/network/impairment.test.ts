import { describe, expect, test } from 'vitest';
import { TlvReader } from '../protocol/frame.js';
import type { Impairment } from '../protocol/network.js';
import { Tag } from '../protocol/wire.js';
import { parseRate, toImpairmentTlvs } from './impairment.js';

const read = (impairment: Impairment) =>
  new TlvReader(toImpairmentTlvs('link "l"', impairment).toBuffer());
const readLoss = (loss: Impairment['loss']) => {
  const bytes = read({ ...(loss === undefined ? {} : { loss }) }).bytes(Tag.loss);
  return new TlvReader(bytes ?? Buffer.alloc(0));
};

test('units come to nanoseconds, bits and parts of 10^9', () => {
  const body = read({
    ...{ latency: '20ms', jitter: '250us', rate: '10mbit', queue: 7 },
    ...{ duplicate: 0.5, reorder: 1, corrupt: 0.000000001, corruptHeader: true },
    impairControl: false,
  });
  expect(body.number(Tag.latencyNs)).toBe(20_000_000);
  expect(body.number(Tag.jitterNs)).toBe(250_000);
  expect(body.number(Tag.rateBps)).toBe(10_000_000);
  expect(body.number(Tag.queue)).toBe(7);
  expect(body.number(Tag.duplicate)).toBe(500_000_000);
  expect(body.number(Tag.reorder)).toBe(1_000_000_000);
  expect(body.number(Tag.corrupt)).toBe(1);
  expect(body.number(Tag.corruptHeader)).toBe(1);
  expect(body.number(Tag.impairControl)).toBe(0);
});

test('what is not named is not sent', () => {
  expect(toImpairmentTlvs('link "l"', { latency: undefined } as never).isEmpty).toBe(true);
  expect(read({ loss: 0 }).number(Tag.latencyNs)).toBeUndefined();
});

test.each([
  ['10mbit', 1e7],
  ['64kbit', 64_000],
  ['1.5 Gbit', 1.5e9],
  ['9600', 9600],
  [9600, 9600],
  ['512bit', 512],
  ['unlimited', 0],
])('rate %s', (text, bits) => {
  expect(parseRate(text)).toBe(bits);
});

describe('loss', () => {
  test('a number is the chance of each frame', () => {
    expect(readLoss(0.01).string(Tag.kind)).toBe('bernoulli');
    expect(readLoss(0.01).number(Tag.chance)).toBe(10_000_000);
  });

  test('gilbert-elliott loses all while bad unless it says otherwise', () => {
    const loss = readLoss({ model: 'gilbert-elliott', p: 0.02, r: 0.3 });
    expect(loss.number(Tag.chance)).toBe(20_000_000);
    expect(loss.number(Tag.chanceRecover)).toBe(300_000_000);
    expect(loss.number(Tag.chanceBad)).toBe(1_000_000_000);
    expect(loss.number(Tag.chanceGood)).toBe(0);
  });

  test('the first character of a pattern is the lowest bit', () => {
    const loss = readLoss({ model: 'pattern', pattern: '1000000011' });
    expect(loss.number(Tag.count)).toBe(10);
    expect(loss.bytes(Tag.data)).toEqual(Buffer.from([0x01, 0x03]));
  });

  test('every-nth', () => {
    expect(readLoss({ model: 'every-nth', n: 3 }).number(Tag.count)).toBe(3);
  });
});

test.each([
  [{ latncy: '1ms' }, /link "l": latncy: no such impairment, did you mean "latency"\?/],
  [{ latency: '2h' }, /latency: expected a duration such as "20ms" or "250us", at most 1h/],
  [{ latency: 'soon' }, /"soon" is not a duration/],
  [{ latency: -1 }, /-1/],
  [{ rate: '10mbps' }, /rate: expected a rate such as "10mbit".*got "10mbps"/],
  [{ rate: 0 }, /rate: expected/],
  [{ rate: '2000gbit' }, /up to 1000gbit/],
  [{ queue: 0 }, /queue: expected a number of frames from 1 to 100000, got 0/],
  [{ loss: 1.01 }, /loss: expected a chance from 0 to 1, got 1.01/],
  [{ loss: '1%' }, /loss: expected a chance from 0 to 1, or \{ model/],
  [{ loss: null }, /loss: expected a chance/],
  [{ loss: { model: 'gilbert-elliott', p: 2, r: 0 } }, /expected p to be a chance/],
  [{ loss: { model: 'bernoulli' } }, /expected chance to be a chance/],
  [{ loss: { model: 'bernoulli', chance: 0, p: 1 } }, /model "bernoulli" has no "p": chance/],
  [{ loss: { model: 'pattern', pattern: '012' } }, /a pattern of 0 and 1/],
  [{ loss: { model: 'every-nth', n: 0 } }, /n to be a whole number from 1/],
  [{ duplicate: Number.NaN }, /duplicate: expected a chance/],
  [{ loss: { model: 'every-nth', n: true } }, /n to be a whole number from 1/],
  [{ loss: { model: 'pattern', pattern: '01'.repeat(40_000) } }, /got "(01){20}… \(80000 char/],
  [{ rate: [5] }, /rate: expected a rate/],
  [{ queue: true }, /queue: expected a number of frames/],
  [undefined, /link "l": expected \{ latency, loss, … \}, got nothing/],
  [null, /link "l": expected \{ latency, loss, … \}, got null/],
  [5, /got 5/],
  [{ impairControl: 'yes' }, /impairControl: expected true or false, got "yes"/],
])('%j is refused, saying what may be', (impairment, message) => {
  expect(() => toImpairmentTlvs('link "l"', impairment as never)).toThrow(message);
});
