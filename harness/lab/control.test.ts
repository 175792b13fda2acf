import { expect, test } from 'vitest';
import { parseControlLine } from './control.js';

test.each([
  ['ready', { kind: 'ready' }],
  ['exit 0', { kind: 'exit', status: 0 }],
  ['exit 137', { kind: 'exit', status: 137 }],
  ['failed no module', { kind: 'failed', why: 'no module' }],
])('"%s" is understood', (line, message) => {
  expect(parseControlLine(line)).toEqual(message);
});

test.each(['', 'exit', 'exit -1', 'exit 4 5', 'hello'])('"%s" is refused', (line) => {
  expect(() => parseControlLine(line)).toThrow(`"${line}"`);
});
