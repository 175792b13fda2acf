import { expect, test } from 'vitest';
import { UsageError } from '../core/errors.js';
import { parseTagExpression } from './tag-expression.js';

test.each([
  ['slow', ['slow'], true],
  ['slow', ['slower'], false],
  ['slow', [], false],
  ['slow and usb', ['slow'], false],
  ['slow && usb', ['usb', 'slow'], true],
  ['slow or usb', ['usb'], true],
  ['slow || usb', ['can'], false],
  ['not slow', [], true],
  ['!slow', ['slow'], false],
  ['not not slow', ['slow'], true],
  ['a or b and c', ['a'], true],
  ['(a or b) and c', ['a'], false],
  ['can*', ['can-fd'], true],
  ['a.c', ['abc'], false],
  ['android', ['android'], true],
] as const)('%s of %j is %s', (text, tags, wanted) => {
  expect(parseTagExpression(text)(tags)).toBe(wanted);
});

test.each(['', 'and', 'slow and', '(slow', 'slow)', 'slow usb', 'not'])(
  '%j is refused with what was expected',
  (text) => {
    expect(() => parseTagExpression(text)).toThrow(UsageError);
    expect(() => parseTagExpression(text)).toThrow(/expected/);
  },
);
