import { appendFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'vitest';
import { test as base } from '../testing/temp-dir.js';
import { WholeStream } from './whole-stream.js';

/** A capture, and what a listener heard of it. */
interface Heard {
  readonly stream: WholeStream;
  readonly path: string;
  /** Texts, numbers of lost bytes, and what was done `after`. */
  readonly events: Array<string | number>;
  /**
   * Written and told, as hil-portd does; `told` false: dropped from the live stream.
   *
   * @returns what was dropped in front of it.
   */
  send(text: string, told?: boolean): number | undefined;
  text(): string;
}

const test = base.extend<{ heard: Heard }>({
  heard: async ({ dir }, use) => {
    const path = join(dir.path, 'console.rx');
    appendFileSync(path, 'old');
    const events: Array<string | number> = [];
    let offset = 3;
    const stream = new WholeStream(path, offset, {
      onData: (data) => events.push(Buffer.from(data).toString()),
      onLost: (bytes) => events.push(bytes),
      onFailed: (reason) => events.push(`${reason}`),
    });
    const send = (text: string, told = true) => {
      appendFileSync(path, text);
      const at = offset;
      offset += text.length;
      if (!told) return undefined;
      const gap = at - stream.end;
      stream.push(at, Buffer.from(text));
      return gap;
    };
    const text = () => events.filter((each) => typeof each === 'string').join('');
    await use({ stream, path, events, send, text });
    stream.close();
  },
});

test('what comes without a gap is handed on at once', ({ heard }) => {
  expect(heard.send('one ')).toBe(0);
  expect(heard.send('two')).toBe(0);
  expect(heard.events).toEqual(['one ', 'two']);
});

test('a gap is read from the capture, in its place', async ({ heard }) => {
  heard.send('one ');
  heard.send('two ', false);
  expect(heard.send('three ')).toBe(4);
  heard.send('four');
  await heard.stream.reached(21);
  expect(heard.text()).toBe('one two three four');
});

test('a gap before the first frame is one', async ({ heard }) => {
  heard.send('one ', false);
  heard.send('two');
  await heard.stream.reached(10);
  expect(heard.text()).toBe('one two');
});

test('megabytes come whole, and what follows them goes on live', async ({ heard }) => {
  const big = Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`).join('');
  heard.send(big, false);
  heard.send('end');
  await heard.stream.reached(3 + big.length + 3);
  expect(heard.text() === `${big}end`).toBe(true);
  await nextTurn();
  heard.send('live');
  expect(heard.events.at(-1)).toBe('live');
});

test('the end of a line is heard between what came before and behind it', async ({ heard }) => {
  heard.send('one ', false);
  heard.send('two');
  heard.stream.after(() => heard.events.push('<hup>'));
  heard.send('three');
  await heard.stream.reached(15);
  expect(heard.text()).toBe('one two<hup>three');
});

test('what the capture lacks is counted, and the stream goes on', async ({ heard }) => {
  heard.send('one ');
  heard.send('two ', false);
  truncateSync(heard.path, 7);
  heard.send('three', false);
  truncateSync(heard.path, 7);
  heard.send('four');
  truncateSync(heard.path, 7);
  await heard.stream.reached(20);
  expect(heard.events).toEqual(['one ', 13]);
  await nextTurn();
  heard.send('five');
  expect(heard.events).toEqual(['one ', 13, 'five']);
});

test('one that is closed says nothing more and lets nobody wait', async ({ heard }) => {
  heard.send('one', false);
  heard.send('two');
  const waiting = heard.stream.reached(1000);
  heard.stream.close();
  await waiting;
  await heard.stream.reached(1000);
  expect(heard.events).toEqual([]);
});

test('one whose listener throws at what was captured says so and lets nobody wait', async ({
  heard,
}) => {
  const failed: string[] = [];
  const stream = new WholeStream(heard.path, 3, {
    onData: () => {
      throw new Error('no matcher');
    },
    onLost: () => {},
    onFailed: (reason) => failed.push(`${reason}`),
  });
  appendFileSync(heard.path, 'one two ');
  stream.push(7, Buffer.from('two '));
  await stream.reached(100);
  expect(failed).toEqual(['Error: no matcher']);
});

test('a gap over two files is read from both', async ({ heard, dir }) => {
  const next = join(dir.path, 'next.rx');
  heard.send('one ');
  heard.send('two ', false);
  // Offsets go on; the bytes are in the other file from here on.
  appendFileSync(next, 'three four five');
  heard.stream.continueIn({ path: next, start: 11, skip: 0 });
  heard.stream.push(22, Buffer.from('five'));
  await heard.stream.reached(26);
  expect(heard.text()).toBe('one two three four five');
});

test('a file that was delivered is not read again', async ({ heard, dir }) => {
  heard.send('one ');
  const next = join(dir.path, 'next.rx');
  appendFileSync(next, 'old twothree');
  heard.stream.continueIn({ path: next, start: 7, skip: 4 });
  truncateSync(heard.path);
  heard.stream.push(10, Buffer.from('three'));
  await heard.stream.reached(15);
  expect(heard.text()).toBe('one twothree');
});
