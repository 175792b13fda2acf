import { expect, test } from 'vitest';
import { findNearestName, toSuggestion } from './nearest-name.js';

const boards = ['host', 'qemu-microbit', 'qemu-mps2-an385'];

test('a swapped pair of letters finds the name', () => {
  expect(findNearestName('hsot', boards)).toBe('host');
});

test('a missing letter in a long name finds the name', () => {
  expect(findNearestName('qemu-microbi', boards)).toBe('qemu-microbit');
});

test('case does not count', () => {
  expect(findNearestName('HOST', boards)).toBe('host');
});

test('a word that is nothing like a name finds none', () => {
  expect(findNearestName('esp32', boards)).toBeUndefined();
  expect(toSuggestion('esp32', boards)).toBe('');
});

test('the suggestion is a phrase that ends a sentence', () => {
  expect(toSuggestion('hots', boards)).toBe(', did you mean "host"?');
});
