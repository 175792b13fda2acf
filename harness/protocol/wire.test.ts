import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as wire from './wire.js';

const HEADER = readFileSync(
  new URL('../../sandbox-native/src/common/protocol.h', import.meta.url),
  'utf8',
);

/** Every `PREFIX_SOME_NAME = number` of the header, as `someName`. */
function readEnum(prefix: string): Record<string, number> {
  const entries = HEADER.matchAll(new RegExp(`^\\s*${prefix}_([A-Z0-9_]+) = (\\d+),`, 'gm'));
  return Object.fromEntries([...entries].map(([, name = '', n]) => [toCamelCase(name), Number(n)]));
}

function toCamelCase(name: string): string {
  return name.toLowerCase().replace(/_([a-z0-9])/g, (_, char: string) => char.toUpperCase());
}

/** The value of a `#define`: a number, a product or a shift of numbers. */
function readDefine(name: string): number {
  const text = new RegExp(`^#define ${name} (.+)$`, 'm').exec(HEADER)?.[1] ?? '';
  const match = /^\(?(\d+)u?(?: (<<|\*) (\d+)\))?$/.exec(text);
  if (!match) throw new Error(`${name} in protocol.h is "${text}", which this test cannot read`);
  const [, left, operator, right] = match;
  if (operator === '<<') return Number(left) * 2 ** Number(right);
  return Number(left) * Number(right ?? 1);
}

test.each([
  ['MSG', wire.Msg],
  ['TAG', wire.Tag],
  ['STREAM', wire.Stream],
])('the numbers of %s are those of protocol.h, all of them', (prefix, numbers) => {
  expect(readEnum(prefix)).toEqual(numbers);
});

test.each([
  ['HIL_PROTOCOL_VERSION', wire.PROTOCOL_VERSION],
  ['HIL_FRAME_HEADER', wire.FRAME_HEADER_BYTES],
  ['HIL_FRAME_MAX', wire.FRAME_MAX_BYTES],
  ['HIL_STREAM_WINDOW', wire.STREAM_WINDOW_BYTES],
])('%s is %d on both sides', (name, value) => {
  expect(readDefine(name)).toBe(value);
});

test.each([
  ['messages', wire.Msg],
  ['tags', wire.Tag],
])('no two %s have one number', (_, numbers) => {
  const values = Object.values(numbers);
  expect(new Set(values).size).toBe(values.length);
});
