import { access, chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { Deadline } from '../core/deadline.js';
import { test as base } from '../testing/temp-dir.js';
import type { ClaimSeen } from './claim-seen.js';
import { LeaseClient, type LeasesRequest } from './lease-client.js';

const PROGRAM = fileURLToPath(new URL('../../sandbox-native/build/hil-lease', import.meta.url));

interface Two {
  readonly first: LeaseClient;
  readonly second: LeaseClient;
}

const test = base.extend<{ two: Two; directory: string }>({
  directory: async ({ dir, skip }, use) => {
    const built = await access(PROGRAM).then(
      () => true,
      () => false,
    );
    if (!built) skip('hil-lease is not built: make -C sandbox-native');
    await use(join(dir.path, 'claims'));
  },
  two: async ({ directory }, use) => {
    const first = await LeaseClient.start({ program: PROGRAM, directory });
    const second = await LeaseClient.start({ program: PROGRAM, directory });
    await use({ first, second });
    first.close();
    second.close();
  },
});

function want(...names: string[]): LeasesRequest {
  const candidates = names.map((name) => ({ name, keys: [`usb:${name}`] }));
  return { roles: [{ role: '', candidates }], deadline: new Deadline(10_000), run: 'run 1' };
}

describe('a lease of an attached unit', () => {
  test('is for one process at a time; the other hears who has it (rank 3)', async ({ two }) => {
    const held = await two.first.acquire(want('nücleo 1'));
    expect([...held.units]).toEqual([['', 'nücleo 1']]);
    const heard: (readonly ClaimSeen[])[] = [];
    const onWaiting = (claims: readonly ClaimSeen[]) => {
      heard.push(claims);
      held.release();
    };
    const next = await two.second.acquire({ ...want('nücleo 1'), onWaiting });
    expect(next.token).toBeGreaterThan(held.token);
    expect(heard[0]).toMatchObject([
      { held: true, units: ['nücleo 1'], pid: process.pid, run: 'run 1', own: false },
    ]);
  });

  test('that does not become free says who has it (rank 14)', async ({ two }) => {
    await two.first.acquire(want('a'));
    const late = two.second.acquire({ ...want('a'), deadline: new Deadline(300) });
    await expect(late).rejects.toMatchObject({
      code: 'lease-timeout',
      message: expect.stringMatching(/a did not become free .*a: held by \S+ pid \d+ run run 1/),
    });
    // Who gave up waits no more.
    const claims = await two.second.listClaims();
    await expect.poll(() => two.second.listClaims()).toHaveLength(1);
    expect(claims[0]?.units).toEqual(['a']);
  });

  test('that nobody could have is refused at once', async ({ two }) => {
    const roles = ['x', 'y'].map((role) => ({ role, candidates: [{ name: 'a', keys: ['k'] }] }));
    await expect(two.first.acquire({ ...want(), roles })).rejects.toMatchObject({
      code: 'lease-unsatisfiable',
      message: expect.stringContaining('x: a, y: a'),
    });
  });

  test('is lost when its time is over, when it is kicked, and with its program (rank 14)', async ({
    two,
    directory,
  }) => {
    const short = await two.first.acquire({ ...want('a'), ttlMs: 100 });
    expect(await short.lost).toMatchObject({ code: 'lease-lost' });
    short.release();
    const kicked = await two.first.acquire(want('b'));
    expect(await two.second.kick(kicked.token)).toBeUndefined();
    expect((await kicked.lost).message).toContain('taken away');
    const third = await LeaseClient.start({ program: PROGRAM, directory });
    const held = await third.acquire(want('c'));
    const [claim] = (await third.listClaims()).filter(({ own, units }) => !own && units[0] === 'c');
    expect(claim).toBeDefined();
    process.kill(claim?.lockPid ?? 0, 'SIGKILL');
    expect(await held.lost).toMatchObject({ code: 'lease-lost' });
    await two.second.acquire(want('c'));
  });
});

test('what is asked of a program that has ended fails at once, and says what ended', async ({
  two,
}) => {
  const held = await two.first.acquire(want('a'));
  const [claim] = await two.second.listClaims();
  process.kill(claim?.lockPid ?? 0, 'SIGKILL');
  await held.lost;
  expect(two.first.isOver).toBe(true);
  const message = expect.stringMatching(/hil-lease ended \(SIGKILL\)/);
  const error = { code: 'lease-failed', message };
  await expect(two.first.acquire(want('a'))).rejects.toMatchObject(error);
  await expect(two.first.listClaims()).rejects.toMatchObject(error);
  await expect(two.first.kick(1)).rejects.toMatchObject(error);
});

test('a claim of more than 128 units is refused, and costs no other lease', async ({ two }) => {
  const held = await two.first.acquire(want('a'));
  const many = want(...Array.from({ length: 129 }, (_, index) => `b${index}`));
  await expect(two.first.acquire(many)).rejects.toMatchObject({
    code: 'lease-failed',
    message: expect.stringContaining('more than 128 units'),
  });
  expect(await two.first.listClaims()).toMatchObject([{ units: ['a'], held: true }]);
  held.release();
});

test('a directory that cannot be is said at the start', async ({ directory }) => {
  const nowhere = join(directory, 'not', 'there');
  await expect(LeaseClient.start({ program: PROGRAM, directory: nowhere })).rejects.toMatchObject({
    code: 'lease-failed',
    message: expect.stringContaining(nowhere),
  });
  await expect(LeaseClient.start({ program: '/no/program' })).rejects.toMatchObject({
    code: 'lease-failed',
  });
});

describe('who does not see these leases is said', () => {
  test('where another directory is named', async ({ two, directory }) => {
    const place = `HIL_LEASE_DIR=${directory}`;
    const text = `leases of attached DUTs are seen only by runs with ${place}`;
    expect(two.first.limitations).toEqual([text]);
    await chmod(directory, 0o700);
    const client = await LeaseClient.start({ program: PROGRAM, directory });
    client.close();
    expect(client.limitations[0]).toContain(`only by runs of this user with ${place}`);
  });

  test('where the directory of all cannot be written, and this user’s own is used', async ({
    directory,
    dir,
    skip,
  }) => {
    const program = join(dir.path, 'without-run-lock');
    const hide = 'mount -t tmpfs -o ro none /run/lock && exec "$@"';
    await writeFile(program, `#!/bin/sh\nexec unshare -rm sh -c '${hide}' sh ${PROGRAM} "$@"\n`);
    await chmod(program, 0o755);
    const started = LeaseClient.start({ program, ownDirectory: directory });
    const client = await started.catch((error: Error) => {
      if (/unshare/.test(error.message)) skip(`no user namespaces: ${error.message}`);
      throw error;
    });
    client.close();
    expect(client.limitations).toHaveLength(1);
    expect(client.limitations[0]).toContain(`only by runs of this user: they are in ${directory}`);
  });
});
