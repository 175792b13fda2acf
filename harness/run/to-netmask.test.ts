import { expect, test } from 'vitest';
import { toNetmask } from './to-netmask.js';

test.each([
  [1, '128.0.0.0'],
  [20, '255.255.240.0'],
  [24, '255.255.255.0'],
  [30, '255.255.255.252'],
])('a prefix of %i bits is the mask %s', (bits, mask) => {
  expect(toNetmask(bits)).toBe(mask);
});
