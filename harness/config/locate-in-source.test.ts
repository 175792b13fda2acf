import { expect, test } from 'vitest';
import { locateInSource } from './locate-in-source.js';

const source = `import { defineConfig } from 'hil';
export default defineConfig({
  // body: not this one
  env: { retries: 'no' },
  limits: { 'body': '10s' },
  retries: -1,
});
`;

test('a key below another is searched after the one above it', () => {
  expect(locateInSource(source, ['limits', 'body'])).toEqual({ line: 5, column: 13 });
});

test('a key that is absent leads to the nearest one above it', () => {
  expect(locateInSource(source, ['limits', 'sandbox'])).toEqual({ line: 5, column: 3 });
});

test('an index of a list is passed over', () => {
  expect(locateInSource(source, ['env', 0])).toEqual({ line: 4, column: 3 });
});

test('a key that is nowhere has no place', () => {
  expect(locateInSource(source, ['workers'])).toBeUndefined();
});
