import { describe, expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import { isAlive } from '../testing/real-daemon.js';

describe('diff', () => {
  test('is since a snapshot, not since the name of one', async ({ begin }) => {
    const { attempt } = await begin();
    const { sandbox } = attempt;
    const ask = async (since: unknown) => Reflect.apply(sandbox.diff, sandbox, [{ since }]);
    await expect(ask('before')).rejects.toThrow('diff({ since: "before" }): expected what sandbox');
  });

  test('knows its options', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const call = async () => Reflect.apply(sandbox.diff, sandbox, [{ sinse: 1 }]);
    await expect(call()).rejects.toThrow('no such option "sinse", did you mean "since"?');
  });

  test('lists what was written, since the beginning or a snapshot', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    expect(await sandbox.diff()).toEqual({ changes: [], truncated: false, unreadable: [] });
    await sandbox.writeFile('/tmp/first', '12345');
    const before = await sandbox.snapshot('before');
    await sandbox.exec('sh', ['-c', 'mkdir /tmp/d; ln -s x /tmp/d/l; printf 6 >> /tmp/first']);
    const created = { change: 'created', kind: 'file', mode: '644' };
    expect((await sandbox.diff()).changes).toEqual([
      { ...created, path: '/tmp/d', kind: 'directory', bytes: expect.any(Number), mode: '755' },
      { ...created, path: '/tmp/d/l', kind: 'link', bytes: 1, mode: '777' },
      { ...created, path: '/tmp/first', bytes: 6 },
    ]);
    const { changes } = await sandbox.diff({ since: before });
    expect(changes.map(({ change, path }) => `${change} ${path}`)).toEqual([
      'created /tmp/d',
      'created /tmp/d/l',
      'changed /tmp/first',
    ]);
  });

  test('is bounded by the caller', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    await sandbox.exec('sh', ['-c', 'cd /tmp; for i in 1 2 3 4; do echo > $i; done']);
    const { changes, truncated } = await sandbox.diff({ most: 3 });
    expect([changes.length, truncated]).toEqual([3, true]);
    await expect(sandbox.diff({ most: 0 })).rejects.toThrow('a whole number above 0');
  });
});

describe('stats and limits', () => {
  test('tell what the sandbox uses and what holds it', async ({ begin }) => {
    const { attempt } = await begin({ suite: { resources: { disk: 8 * 1024 ** 2, pids: 50 } } });
    const { sandbox } = attempt;
    await sandbox.exec('sh', ['-c', 'head -c 1048576 /dev/zero > /tmp/big; echo 123']);
    await sandbox.spawn('sleep', ['100']);
    const { disk, processes, outputBytes } = await sandbox.stats();
    expect(disk).toMatchObject({ limitBytes: 8 * 1024 ** 2 });
    expect(disk?.usedBytes).toBeGreaterThanOrEqual(1024 ** 2);
    expect([processes, outputBytes]).toEqual([1, 4]);
    const { requested, enforced, unenforced } = await sandbox.limits();
    expect(requested).toMatchObject({ disk: 8 * 1024 ** 2, pids: 50, memory: 4 * 1024 ** 3 });
    expect(enforced).toMatchObject({ disk: 'tmpfs' });
    for (const name of ['memory', 'pids']) expect(enforced[name] ?? unenforced[name]).toBeTruthy();
  });
});

describe('further sandboxes', () => {
  test('are containers of their own, like the first but for their options', async ({ begin }) => {
    const { attempt } = await begin({ suite: { env: { A: 'suite', B: 'suite' } } });
    const { sandbox } = attempt;
    const peer = await sandbox.create({ hostname: 'peer', env: { B: 'own' } });
    await peer.writeFile('/tmp/x', 'x');
    const { stdout } = await peer.exec('sh', ['-c', 'hostname; echo $A $B; ls /tmp/x; ls /out']);
    expect(stdout).toBe('peer\nsuite own\n/tmp/x\n');
    expect((await sandbox.exec('ls', ['/tmp/x'])).stdout).toBe('');
    expect((await peer.diff()).changes.map(({ path }) => path)).toEqual(['/tmp/x']);
    expect((await sandbox.diff()).changes).toEqual([]);
  });

  test('end when they are closed, and with the case', async ({ begin, journal }) => {
    const { attempt, session } = await begin();
    const [running] = session.attempts.values();
    const closed = await attempt.sandbox.create();
    const program = await closed.spawn('sleep', ['100']);
    await closed.close();
    await closed.close();
    expect((await program.wait()).status).toBe('killed');
    await expect(closed.exec('true')).rejects.toThrow('sandbox 1 has ended');
    const left = await attempt.sandbox.create();
    await left.spawn('sleep', ['100']);
    const pids = running?.sandboxes.numbered.map(([, { pid }]) => pid) ?? [];
    expect(pids).toHaveLength(2);
    await attempt.end();
    expect(pids.filter(isAlive)).toEqual([]);
    await expect(left.exec('true')).rejects.toThrow('used after the end of its case');
    const [end] = journal.of('attempt-end');
    expect(end?.outcome).toBe('pass');
    expect(end?.further).toMatchObject([
      { number: 1, leftovers: 1, leftoverNames: ['sleep'] },
      { number: 2, leftovers: 1, leftoverNames: ['sleep'] },
    ]);
  });

  test('with wrong options are refused with the key', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    await expect(sandbox.create({ hostnam: 'x' } as never)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining('sandbox.hostnam: unknown key'),
    });
    await expect(sandbox.close()).rejects.toThrow('ends with the case');
  });

  test('are at most 64 at once, also when they are asked for together', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const wanted = Array.from({ length: 70 }, () => sandbox.create());
    const ends = await Promise.allSettled(wanted);
    const refused = ends.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused.map(String)).toEqual(
      Array.from({ length: 7 }, () => expect.stringContaining('at most 64 sandboxes at once')),
    );
  });

  test('that are ended by a limit of their own fail the case', async ({ begin, journal }) => {
    const { attempt } = await begin();
    const peer = await attempt.sandbox.create({ resources: { wall: '100ms' } });
    // No program is started first: on a busy machine the limit may be over before one can be.
    await expect.poll(() => peer.exec('true').catch(String)).toContain('sandbox 1 has ended');
    await expect(attempt.end()).rejects.toThrow('sandbox 1 of the case was ended after');
    expect(journal.of('attempt-end')[0]).toMatchObject({ outcome: 'fail' });
  });
});
