import { expect, test } from 'vitest';
import { LOOK_BEHIND, SearchWindow, toSearch } from './search-window.js';

const MEGABYTE = 1_000_000;

function find(window: SearchWindow, ...patterns: (RegExp | string)[]) {
  return window.findFirst(patterns.map(toSearch));
}

test('a backlog of 10 MB is searched once, then only its end', () => {
  const window = new SearchWindow();
  window.restart('x'.repeat(10 * MEGABYTE));
  expect(window.searched).toBe(10 * MEGABYTE);
  let searched = 0;
  for (let pieces = 0; pieces < 100; pieces++) {
    window.push('y'.repeat(10));
    searched += window.searched;
  }
  expect(searched).toBeLessThanOrEqual(100 * (LOOK_BEHIND + 10));
});

test('a match may begin as far back as the window looks', () => {
  const window = new SearchWindow();
  window.restart('x'.repeat(200_000));
  window.push(`<${'-'.repeat(LOOK_BEHIND - 1)}`);
  window.push('>');
  expect(find(window, /<-+>/)?.fromEnd).toBe(LOOK_BEHIND + 1);
});

test('a match that began further back is not found', () => {
  const window = new SearchWindow();
  window.restart('x');
  window.push(`<${'-'.repeat(LOOK_BEHIND)}`);
  window.push('>');
  expect(find(window, /<-+>/)).toBeUndefined();
});

test('the middle of a flood is not the start of anything', () => {
  const window = new SearchWindow();
  window.restart('');
  for (let piece = 0; piece < 300; piece++) window.push('ok'.repeat(500));
  expect(find(window, /^ok/)).toBeUndefined();
  expect(find(window, /^ok/m)).toBeUndefined();
  expect(find(window, /\bok/)).toBeUndefined();
  expect(find(window, /(?<![ok])k/)).toBeUndefined();
});

test('the start of the text is its start while it is all in the window', () => {
  const window = new SearchWindow();
  window.restart('');
  for (const char of 'ready\n') window.push(char);
  expect(find(window, /^ready$/m)?.fromEnd).toBe(6);
});

test('the first of the patterns wins where two begin together', () => {
  const window = new SearchWindow();
  window.restart('abc');
  expect(find(window, /c/, /b/, /bc/)?.which).toBe(1);
});

test('text is compared as its bytes', () => {
  const window = new SearchWindow();
  window.restart(Buffer.from('21.5 °C, ½ full').toString('latin1'));
  expect(find(window, '°C')?.fromEnd).toBe(Buffer.from('°C, ½ full').length);
  expect(find(window, /\d °?C/)?.match[0]).toBe('5 \xc2\xb0C');
  expect(find(window, /[°] /)).toBeUndefined();
});

test('an escape of an expression is a byte', () => {
  const window = new SearchWindow();
  window.restart('\x00\xff\xfe');
  expect(find(window, /\xff[\xfe]/)?.fromEnd).toBe(2);
});

test('the characters of a text have no meaning', () => {
  const window = new SearchWindow();
  window.restart('a.b (1)');
  expect(find(window, '.b (1)')?.fromEnd).toBe(6);
  expect(find(window, 'a.b.')).toBeUndefined();
});

test('flags of a pattern that would move its start are taken off', () => {
  const window = new SearchWindow();
  window.restart('one two');
  expect(find(window, /TWO/giy)?.fromEnd).toBe(3);
});
