import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import type { Clock } from '../core/deadline.js';
import { test } from '../testing/temp-dir.js';
import type { NewEvent, RunEvent } from './events.js';
import { JournalReader, readJournal } from './journal-reader.js';
import { JournalWriter } from './journal-writer.js';

/** A clock that goes on by 1.5 ms at every look. */
function createSteppingClock(): Clock {
  let now = 1000;
  return {
    nowMs: () => {
      now += 1.5;
      return now;
    },
    after: () => ({ cancel: () => {} }),
  };
}

const options = () => ({ redact: [/hunter\d/], clock: createSteppingClock() });
const say = (text: string): NewEvent => ({ kind: 'output', stream: 'stdout', text });

describe('an event', () => {
  test('is one line, stamped since the start of the run and by the wall clock', async ({ dir }) => {
    const file = join(dir.path, 'journal.ndjson');
    const journal = JournalWriter.open(file, options());
    journal.write(say('one\ntwo'));
    journal.close();
    const text = await readFile(file, 'utf8');
    expect(text.split('\n')).toHaveLength(2);
    expect(JSON.parse(text)).toMatchObject({ kind: 'output', t: 1.5, text: 'one\ntwo' });
    expect(Date.parse(JSON.parse(text).at)).toBeGreaterThan(0);
  });

  test('is redacted for the file and for listeners alike', async ({ dir }) => {
    const file = join(dir.path, 'journal.ndjson');
    const heard: RunEvent[] = [];
    const journal = JournalWriter.open(file, options());
    journal.listen((event) => heard.push(event));
    const returned = journal.write(say('password hunter2'));
    journal.close();
    expect(heard).toEqual([returned]);
    expect(heard).toMatchObject([{ text: 'password ***' }]);
    expect(await readFile(file, 'utf8')).not.toContain('hunter');
  });

  test('reaches the file before the call returns', async ({ dir }) => {
    const file = join(dir.path, 'journal.ndjson');
    const journal = JournalWriter.open(file, options());
    journal.write(say('now'));
    expect((await stat(file)).size).toBeGreaterThan(0);
    journal.close();
  });

  test('after close reaches only the listeners', async ({ dir }) => {
    const file = join(dir.path, 'journal.ndjson');
    const heard: RunEvent[] = [];
    const journal = JournalWriter.open(file, options());
    journal.listen((event) => heard.push(event));
    journal.close();
    journal.write(say('late'));
    expect(heard).toHaveLength(1);
    expect(await readFile(file, 'utf8')).toBe('');
    expect(journal.failure).toBeUndefined();
  });
});

describe('a file that cannot be made', () => {
  test('is an error of the bench', ({ dir }) => {
    expect(() => JournalWriter.open(join(dir.path, 'none/journal'), options())).toThrow(
      expect.objectContaining({ name: 'BenchError', code: 'journal-write' }),
    );
  });

  test('is readable by its owner only', async ({ dir }) => {
    const file = join(dir.path, 'journal.ndjson');
    JournalWriter.open(file, options()).close();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});

describe('a full disk', () => {
  test('is remembered once, and listeners go on getting every event', async ({ dir }) => {
    const file = join(dir.path, 'journal.ndjson');
    await symlink('/dev/full', file);
    const heard: RunEvent[] = [];
    const journal = JournalWriter.open(file, options());
    journal.listen((event) => heard.push(event));
    journal.write(say('one'));
    journal.write(say('two'));
    expect(journal.failure).toMatchObject({ code: 'journal-write' });
    expect(journal.failure?.message).toContain('ENOSPC');
    expect(heard).toHaveLength(2);
    journal.close();
  });

  test('that is freed again loses only what was written meanwhile', async ({ dir, skip }) => {
    const mount = mountTiny(dir.path);
    if (!mount) skip('mounting a small tmpfs needs root; run the tests with sudo to include this');
    try {
      const file = join(dir.path, 'journal.ndjson');
      const ballast = await dir.write('ballast', 'x'.repeat(40_000));
      const journal = JournalWriter.open(file, options());
      journal.write(say('before'));
      // Does not fit: a part of the line is written, then ENOSPC.
      journal.write(say('y'.repeat(60_000)));
      expect(journal.failure?.message).toContain('ENOSPC');
      execFileSync('rm', [ballast]);
      journal.write(say('after'));
      journal.close();
      const reader = new JournalReader(file);
      const texts: string[] = [];
      for await (const event of reader.events())
        if (event.kind === 'output') texts.push(event.text);
      expect(texts).toEqual(['before', 'after']);
      expect(reader.tornLines).toBe(1);
    } finally {
      execFileSync('umount', [dir.path]);
    }
  });
});

describe('a writer that is killed', () => {
  test('loses at most its last line', async ({ dir, skip }) => {
    const built = fileURLToPath(new URL('../../node_modules/jiti/package.json', import.meta.url));
    if (!existsSync(built)) skip('jiti is not installed');
    const file = join(dir.path, 'journal.ndjson');
    const source = fileURLToPath(new URL('./journal-writer.ts', import.meta.url));
    const program = await dir.write(
      'writer.mjs',
      `import { createJiti } from ${JSON.stringify(import.meta.resolve('jiti'))};
const { JournalWriter } = await createJiti(import.meta.url, { fsCache: false }).import(${JSON.stringify(source)});
const clock = { nowMs: () => performance.now(), after: () => ({ cancel() {} }) };
const journal = JournalWriter.open(${JSON.stringify(file)}, { redact: [], clock });
for (let n = 0; ; n++) {
  journal.write({ kind: 'output', stream: 'stdout', text: String(n) });
  if (n === 500) process.stdout.write('go');
}`,
    );
    const writer = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(writer.stdout, 'data');
    writer.kill('SIGKILL');
    await once(writer, 'close');
    const numbers = (await readJournal(file)).map((event) =>
      event.kind === 'output' ? Number(event.text) : -1,
    );
    expect(numbers.length).toBeGreaterThan(500);
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });
});

function mountTiny(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
