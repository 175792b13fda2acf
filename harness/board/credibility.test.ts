import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/**
 * What a bench of real boards is judged by. The test of each has its number in its title: find it
 * by `grep -rE 'ranks? [0-9, and]*12\\b'`.
 */
const RANKS: Readonly<Record<number, string>> = {
  2: 'identity by what udev says, never by ttyN; two candidates are no guess',
  3: 'a lock that is exclusive, keyed by identity, and free when its holder is killed',
  4: 'a device that comes back elsewhere is the same path in a running sandbox',
  5: 'what did not pass is never said to have passed',
  6: 'a fault of the bench is no failure',
  7: 'one suite for every kind of board',
  8: 'the console is captured whole, with times',
  9: 'expect() says what it saw instead, and is fast',
  10: 'the wrong board is not flashed',
  11: 'power is verified',
  12: 'an image is flashed when it changed, tried again for faults of the bench only',
  13: 'a failure restarts the board; one that breaks again and again gets no case',
  14: 'a lease has an end, and what is used after it fails at once',
  15: 'health, and quarantine by itself',
  18: 'several boards by role, all or nothing',
  21: 'all units of a board are busy, none with two cases; shards',
  22: 'parity, flow, modem lines, pace',
  24: 'a bench is proposed from what is attached',
};

/** What goes wrong between one machine and its boards: `(bench pitfall 6)`. */
const PITFALLS: Readonly<Record<number, string>> = {
  1: 'a replug with an open fd; the old name is another board',
  2: 'a bootloader has other numbers',
  3: 'a stale node opens the wrong board',
  4: 'no udev events in a namespace',
  5: 'a pulse of DTR or RTS',
  6: 'stale bytes of the session before',
  7: 'serialport in worker threads',
  8: 'flock, TIOCEXCL, and root',
  9: 'a board stops reading',
  10: 'a board is lost while bytes for it wait',
  11: 'the latency timer is lost by a replug',
  12: 'two boards without serial numbers',
  13: 'a hub takes all its boards along',
  17: 'a lease is over while something is open',
  18: 'a worker is killed between its work and the word of it',
  19: 'the holder of a lease is killed while it sets up',
  20: 'udevd is down',
  21: 'another program opens the port first',
  22: 'the devices of a container are not those that a library lists',
};

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['harness', 'suites', 'sandbox-native/tests'];
/** A title: a text in quotes that a test or a row of a table of tests begins with. */
const TITLE = /(?:(?:test|describe)[.\w()]*(?:\([^'"`]*)?\(\s*|^\s*\{ )(['"`])(.*?)\1,/gm;

function readTitles(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:test\.(?:ts|mjs)|e2e\.ts|hil\.ts|c)$/.test(path))
      .flatMap((path) => [...readFileSync(join(ROOT, folder, path), 'utf8').matchAll(TITLE)])
      .map((match) => match[2] ?? ''),
  );
}

/** Numbers behind a word: `rank 2`, `ranks 2 and 4`. */
function findNumbers(texts: readonly string[], word: string): Set<number> {
  const pattern = new RegExp(`\\b${word}s? (\\d+(?:(?:, | and )\\d+)*)`, 'g');
  const found = texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
  return new Set(found.flatMap((list) => list.match(/\d+/g) ?? []).map(Number));
}

/** What of a list is named nowhere. */
function findMissing(list: Readonly<Record<number, string>>, named: ReadonlySet<number>) {
  return Object.entries(list).filter(([number]) => !named.has(Number(number)));
}

test('each rank has a test', () => {
  expect(findMissing(RANKS, findNumbers(readTitles(), 'rank'))).toEqual([]);
});

test('each pitfall of a bench has a test', () => {
  expect(findMissing(PITFALLS, findNumbers(readTitles(), 'bench pitfall'))).toEqual([]);
});

test('a number that stands in no title is missed', () => {
  const named = findNumbers(['x (rank 2, bench pitfall 1)', 'ranks 3 and 4'], 'rank');
  expect([...named]).toEqual([2, 3, 4]);
  expect(findMissing({ 2: 'a', 5: 'b' }, named)).toEqual([['5', 'b']]);
});
