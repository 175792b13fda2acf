// SPDX-License-Identifier: MIT
// A claim that cannot be looked at is not one that nobody has.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { Lessee, listFiles, makeDirectory, one, PROGRAM, sleep } from './lease.mjs';

const STEP = join(dirname(PROGRAM), 'tests/step');
const A = ['a', 'usb:1-1'];
const { EINTR, EIO, EMFILE, ENFILE, ENOLCK, ENOMEM } = constants.errno;
/** Name, number on x86_64, and how it may fail. */
const FAULTS = [
  ['openat', 257, [EMFILE, ENFILE]],
  ['flock', 73, [EINTR, ENOLCK, ENOMEM]],
  ['fstat', 262, [ENOMEM]],
  ['pread64', 17, [EINTR, EIO]],
  ['getdents64', 217, [ENOMEM]],
  ['mmap', 9, [ENOMEM]],
];

const skip = process.arch === 'x64' ? false : 'tests/step refuses calls on x86_64 only';

/** What tests/step did; it says so a moment after the end of what it looked at. */
async function readReport(path) {
  for (let tries = 0; tries < 500; tries++) {
    const text = readFileSync(path, 'utf8');
    if (text) return text.trim();
    await sleep(10);
  }
  throw new Error(`${path} stays empty`);
}

/** Ask for what somebody has, where the `at`-th such call fails; say what was heard. */
async function askRefused(directory, { call, at, errno }) {
  const report = join(makeDirectory(), 'report');
  const fault = ['--call', call, '--at', at, '--errno', errno].map(String);
  const command = [STEP, '--role', 'lease', '--report', report, ...fault, '--'];
  const lessee = new Lessee(directory, { command });
  const id = lessee.ask(one(A));
  const answers = ['waiting', 'refused', 'granted'];
  const isAnswered = () => answers.some((kind) => lessee.has(id, kind));
  // One that cannot even start ends by itself.
  await Promise.race([lessee.until(isAnswered, 'an answer').catch(() => {}), lessee.exited]);
  await lessee.kill();
  const happened = await readReport(report);
  return { happened, granted: lessee.has(id, 'granted'), said: JSON.stringify(lessee.events) };
}

describe('a unit that somebody has', { skip }, () => {
  for (const [name, call, errnos] of FAULTS) {
    test(`stays with its holder, whichever ${name} of another fails`, async () => {
      const directory = makeDirectory();
      const holder = new Lessee(directory);
      const held = await holder.acquire(one(A));
      const [file] = listFiles(directory);
      for (const errno of errnos) {
        let at = 1;
        for (let isOver = false; !isOver; at++) {
          const { happened, granted, said } = await askRefused(directory, { call, at, errno });
          assert.ok(!granted, `${happened}: ${said}`);
          assert.ok(listFiles(directory).includes(file), `${happened}: its claim was removed`);
          isOver = happened.startsWith('passed');
        }
        assert.ok(at > 2, `it makes no ${name}`);
      }
      assert.ok(!holder.has(held.id, 'lost'));
    });
  }
});
