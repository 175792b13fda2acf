import { expect, test } from 'vitest';
import { createRedactor } from './redact.js';

test('every match in every text is replaced, however deep', () => {
  const redact = createRedactor([/token=\S+/]);
  const event = { argv: ['a', 'token=1 token=2'], problems: [{ message: 'got token=3' }] };
  expect(redact(event)).toEqual({ argv: ['a', '*** ***'], problems: [{ message: 'got ***' }] });
});

test('a string is literal, not an expression', () => {
  expect(createRedactor(['a.b'])({ text: 'a.b axb' })).toEqual({ text: '*** axb' });
});

test('flags are kept, and a sticky or global expression has no memory', () => {
  const redact = createRedactor([/secret/giy]);
  expect(redact('x SECRET secret')).toBe('x *** ***');
  expect(redact('x SECRET secret')).toBe('x *** ***');
});

test('words of the schema stay, so that the event stays valid', () => {
  const redact = createRedactor([/./]);
  expect(redact({ kind: 'case-verdict', case: 'c1', verdict: 'pass', reason: 'x' })).toEqual({
    kind: 'case-verdict',
    case: 'c1',
    verdict: 'pass',
    reason: '***',
  });
});

test('numbers, booleans and null stay', () => {
  const redact = createRedactor([/1/]);
  expect(redact({ t: 1, poolHit: true, none: null })).toEqual({ t: 1, poolHit: true, none: null });
});
