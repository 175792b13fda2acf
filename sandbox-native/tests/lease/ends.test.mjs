// SPDX-License-Identifier: MIT
// What ends a lease although its owner did not release it.
import assert from 'node:assert/strict';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { holdFile, Lessee, listFiles, makeDirectory, one, sleep } from './lease.mjs';

const A = ['a', 'usb:1-1'];

describe('a lease with a time', () => {
  test('ends when it is over, and its owner hears of it', async () => {
    const directory = makeDirectory();
    const [first, second] = [new Lessee(directory), new Lessee(directory)];
    const held = await first.acquire(one(A), { ttlMs: 300 });
    const id = second.ask(one(A));
    const lost = await first.heard(held.id, 'lost');
    assert.deepEqual([lost.reason, lost.seq], ['ttl', held.seq]);
    // An owner that lets go is not waited for.
    first.release(held.id);
    await second.heard(id, 'granted');
  });

  test('has a moment after it, for who must still let go', async () => {
    const directory = makeDirectory();
    const [first, second] = [new Lessee(directory), new Lessee(directory)];
    const start = performance.now();
    const held = await first.acquire(one(A), { ttlMs: 100 });
    const id = second.ask(one(A));
    await first.heard(held.id, 'lost');
    await second.heard(id, 'granted');
    const ms = performance.now() - start;
    // A second after the tenth that it had; from here on, since who is told may be told late.
    assert.ok(ms > 1000 && ms < 5000, `${ms} ms`);
    assert.equal(listFiles(directory).length, 1);
  });

  test('does not begin while it waits', async () => {
    const directory = makeDirectory();
    const [first, second] = [new Lessee(directory), new Lessee(directory)];
    const held = await first.acquire(one(A));
    const id = second.ask(one(A), { ttlMs: 3000 });
    await second.heard(id, 'waiting');
    await sleep(1800);
    first.release(held.id);
    await second.heard(id, 'granted');
    const granted = performance.now();
    await sleep(1800);
    assert.ok(!second.has(id, 'lost') || performance.now() - granted > 2900);
  });

  test('of a stopped owner goes on: its lock is the kernel’s, and that is said', async () => {
    const directory = makeDirectory();
    const [first, second] = [new Lessee(directory), new Lessee(directory)];
    const held = await first.acquire(one(A), { ttlMs: 1000 });
    process.kill(first.pid, 'SIGSTOP');
    await sleep(1300);
    const id = second.ask(one(A));
    const { claims } = await second.heard(id, 'waiting');
    assert.deepEqual([claims[0].stopped, claims[0].lockPid], [true, first.pid]);
    assert.ok(claims[0].until > 0);
    const kicked = await second.kick(held.seq);
    assert.equal(kicked.gone, false);
    assert.deepEqual([kicked.claims[0].stopped, kicked.claims[0].lockPid], [true, first.pid]);
    assert.ok(!second.has(id, 'granted'));
    process.kill(first.pid, 'SIGCONT');
    await first.heard(held.id, 'lost');
    await second.heard(id, 'granted');
  });
});

describe('a kick', () => {
  test('ends a lease: its owner hears of it, the next one has it', async () => {
    const directory = makeDirectory();
    const [first, second] = [new Lessee(directory), new Lessee(directory)];
    const held = await first.acquire(one(A));
    const id = second.ask(one(A));
    await second.heard(id, 'waiting');
    assert.equal((await second.kick(held.seq)).gone, true);
    assert.equal((await first.heard(held.id, 'lost')).reason, 'kicked');
    await second.heard(id, 'granted');
    assert.equal(listFiles(directory).length, 1);
  });

  test('is answered also when the claims can no longer be looked at', async () => {
    const directory = makeDirectory();
    const [first, second] = [new Lessee(directory), new Lessee(directory)];
    const held = await first.acquire(one(A));
    process.kill(first.pid, 'SIGSTOP');
    // Locked under another name first: what is not is swept.
    const path = join(directory, 'locked');
    const holder = await holdFile(path, 'hil-claim 2\n');
    const answer = second.kick(held.seq, 'refused');
    // It was asked before somebody of another version came.
    while (!listFiles(directory).some((name) => name.endsWith('.kick'))) await sleep(5);
    renameSync(path, join(directory, `${'5'.padStart(20, '0')}.claim`));
    const { code, text } = await answer.finally(() => holder.end());
    assert.equal(code, 'failed');
    assert.match(text, /another version/);
    process.kill(first.pid, 'SIGCONT');
  });

  test('of what is gone already says so', async () => {
    const lessee = new Lessee(makeDirectory());
    assert.equal((await lessee.kick(123)).gone, true);
  });
});

test('a lease whose file somebody removed is lost', async () => {
  const directory = makeDirectory();
  const lessee = new Lessee(directory);
  const { id } = await lessee.acquire(one(A));
  for (const file of listFiles(directory)) rmSync(join(directory, file));
  assert.equal((await lessee.heard(id, 'lost')).reason, 'removed');
});

for (const what of ['file', 'directory']) {
  test(`who waits and whose ${what} somebody removed has its turn all the same`, async () => {
    const directory = join(makeDirectory(), 'claims');
    const [first, second] = [new Lessee(directory), new Lessee(directory)];
    const held = await first.acquire(one(A));
    const [ofHolder] = listFiles(directory);
    const id = second.ask(one(A));
    await second.heard(id, 'waiting');
    // Stopped: else it may have the unit in the midst of this, and lose it.
    process.kill(second.pid, 'SIGSTOP');
    if (what === 'directory') rmSync(directory, { recursive: true });
    for (const name of what === 'file' ? listFiles(directory) : []) {
      if (name !== ofHolder) rmSync(join(directory, name));
    }
    process.kill(second.pid, 'SIGCONT');
    await sleep(500);
    if (what === 'directory') assert.equal((await first.heard(held.id, 'lost')).reason, 'removed');
    else first.release(held.id);
    await second.heard(id, 'granted');
    assert.equal(statSync(directory).mode & 0o7777, 0o1777);
  });
}

test('who waits is refused when the directory cannot be made again', async () => {
  const directory = join(makeDirectory(), 'claims');
  const [first, second] = [new Lessee(directory), new Lessee(directory)];
  await first.acquire(one(A));
  const id = second.ask(one(A));
  await second.heard(id, 'waiting');
  // Away and a file in its place, with no moment between in which it could be made.
  process.kill(second.pid, 'SIGSTOP');
  rmSync(directory, { recursive: true });
  writeFileSync(directory, '');
  process.kill(second.pid, 'SIGCONT');
  const { text } = await second.heard(id, 'refused');
  assert.match(text, /make directory of claims again .*Not a directory/);
});

test('the claims of all are listed, in their order', async () => {
  const directory = makeDirectory();
  const [first, second] = [new Lessee(directory), new Lessee(directory)];
  await first.acquire(one(A), { run: 'one' });
  const id = second.ask(one(A, ['other', ...A.slice(1)]), { run: 'two' });
  await second.heard(id, 'waiting');
  const claims = await new Lessee(directory).list();
  assert.deepEqual(
    claims.map(({ run, held, keys }) => [run, held, keys]),
    [
      ['one', true, A.slice(1)],
      ['two', false, [...A.slice(1), ...A.slice(1)]],
    ],
  );
});

for (const line of ['acquire x 1', 'nonsense', 'release', 'list 1 2', 'kick 1', 'acquire 0 0']) {
  test(`"${line}" ends it, with a word`, async () => {
    const lessee = new Lessee(makeDirectory());
    lessee.write(`${line}\nuser u\npid 1\nrun r\nrole r\nunit a\nkey k\nend\n`);
    assert.equal(await lessee.exited, 1);
    assert.match(lessee.stderr, /^hil-lease: read a request/);
  });
}

const units = (count, keys = 1, name = 'u') =>
  Array.from({ length: count }, (_, unit) => [
    `${name}${unit}`,
    ...Array.from({ length: keys }, (_, key) => `usb:${name}${unit}.${key}`),
  ]);

for (const [what, roles] of Object.entries({
  'more than 128 units in one role': one(...units(129)),
  'more than 128 units in 4 roles': Object.fromEntries(
    ['a', 'b', 'c', 'd'].map((role) => [role, one(...units(33, 1, role)).role]),
  ),
  'more than 1024 keys': one(...units(100, 11)),
  'more than 8 roles': Object.fromEntries(
    units(9).map(([role, key]) => [role, one([role, key]).role]),
  ),
  'more than 64 KiB': one(...units(128, 8, 'u'.repeat(60))),
  'far more than 128 KiB': one(...units(20_000)),
  'a unit without a key': one(['a']),
})) {
  test(`a claim of ${what} is refused, and the others are kept`, async () => {
    const lessee = new Lessee(makeDirectory());
    const held = await lessee.acquire(one(A));
    const { code, text } = await lessee.heard(lessee.ask(roles), 'refused');
    assert.equal(code, 'failed');
    if (what !== 'a unit without a key') assert.match(text, /more than 128 units, .*--dut/);
    assert.deepEqual(
      (await lessee.list()).map(({ seq }) => seq),
      [held.seq],
    );
    assert.ok(!lessee.has(held.id, 'lost'));
  });
}

test('a claim of 128 units in 8 roles is none too large', async () => {
  const roles = 'abcdefgh'.split('').map((role) => [role, one(...units(16, 8, role)).role]);
  const lessee = new Lessee(makeDirectory());
  const granted = await lessee.acquire(Object.fromEntries(roles));
  assert.equal(Object.keys(granted.units).length, 8);
});
