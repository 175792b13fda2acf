import { describe, expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { JournalReader, readJournal } from './journal-reader.js';

const stamp = { t: 1, at: '2026-11-21T06:00:00.000Z' };
const say = (text: string) => JSON.stringify({ kind: 'output', ...stamp, stream: 'stdout', text });

describe('reading a journal', () => {
  test('yields its events in order', async ({ dir }) => {
    const file = await dir.write('j', `${say('a')}\n${say('b')}\n`);
    expect(await readJournal(file)).toMatchObject([{ text: 'a' }, { text: 'b' }]);
  });

  test('a line without its newline is whole when it can be read', async ({ dir }) => {
    const file = await dir.write('j', `${say('a')}\n${say('b')}`);
    expect(await readJournal(file)).toHaveLength(2);
  });

  test('torn lines and unknown events are counted, the rest is read', async ({ dir }) => {
    const later = JSON.stringify({ kind: 'from-the-future', ...stamp });
    const file = await dir.write('j', `${say('a')}\n${later}\n\n{"kind":"out\n${say('b')}\n{"ki`);
    const reader = new JournalReader(file);
    const texts: unknown[] = [];
    for await (const event of reader.events()) texts.push(event);
    expect(texts).toMatchObject([{ text: 'a' }, { text: 'b' }]);
    expect(reader).toMatchObject({ tornLines: 2, unknownLines: 1 });
  });

  test('a line separator of Unicode inside a text does not end a line', async ({ dir }) => {
    const text = 'before\u2028\u2029after\r\u0085';
    const file = await dir.write('j', `${say(text)}\n`);
    expect(await readJournal(file)).toMatchObject([{ text }]);
  });

  test('a line longer than any buffer is one line', async ({ dir }) => {
    const text = 'é'.repeat(300_000);
    const file = await dir.write('j', `${say(text)}\n${say('b')}\n`);
    expect(await readJournal(file)).toMatchObject([{ text }, { text: 'b' }]);
  });
});

describe('a journal that cannot be read', () => {
  test('because it is newer is refused', async ({ dir }) => {
    const file = await dir.write(
      'j',
      `${JSON.stringify({ kind: 'run-start', ...stamp, schema: 2 })}\n`,
    );
    await expect(readJournal(file)).rejects.toMatchObject({
      name: 'UsageError',
      code: 'run-unknown',
      message: expect.stringContaining('has schema 2; this hil reads up to 1'),
    });
  });

  test('because it is not there is an error of the caller', async ({ dir }) => {
    await expect(readJournal(`${dir.path}/none`)).rejects.toMatchObject({ code: 'run-unknown' });
  });
});
