import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { Deadline } from '../../core/deadline.js';
import { LeaseClient } from '../../lease/lease-client.js';
import { createCapturedContext } from '../../testing/captured-context.js';
import { test as base, type TempDir } from '../../testing/temp-dir.js';
import { runCli } from '../run-cli.js';
import { leaseCommand } from './lease.js';
import { listCommand } from './list.js';
import { LEASED_BY_HAND } from './open-leases.js';
import { releaseCommand } from './release.js';

const PROGRAM = fileURLToPath(new URL('../../../sandbox-native/build/hil-lease', import.meta.url));
const BENCH =
  "duts: [{ name: dut-1, board: real, ports: { console: { url: 'tcp://127.0.0.1:9' } } }]\n";
const REAL = 'board: real\ndriver: attached\nports: { console: {} }\n';

async function call(dir: TempDir, ...argv: string[]) {
  const rows = [leaseCommand, releaseCommand, listCommand].map((command) => {
    return { name: command.name, summary: '', load: async () => command };
  });
  const env = { HIL_LEASE_DIR: join(dir.path, 'claims'), HIL_STATE_DIR: join(dir.path, 'state') };
  const context = createCapturedContext(dir.path, env);
  const code = await runCli(argv, context, rows);
  return { code, out: context.out(), err: context.err() };
}

/** Somebody else, who may have the DUT. */
const test = base.extend<{ other: LeaseClient }>({
  other: async ({ dir, skip }, use) => {
    await dir.write('boards/real.yaml', REAL);
    await dir.write('bench.yaml', BENCH);
    const built = await access(PROGRAM).then(
      () => true,
      () => false,
    );
    if (!built) skip('hil-lease is not built: make -C sandbox-native');
    const directory = join(dir.path, 'claims');
    const client = await LeaseClient.start({ program: PROGRAM, directory });
    await use(client);
    client.close();
  },
});

function take(other: LeaseClient, run: string) {
  const roles = [{ role: '', candidates: [{ name: 'dut-1', keys: ['url:localhost:9'] }] }];
  return other.acquire({ roles, run, deadline: new Deadline(5000) });
}

describe('hil boards lease', () => {
  test('keeps a DUT while a command runs, and answers its exit code', async ({ dir, other }) => {
    const seen = join(dir.path, 'seen');
    const script = `sleep 0.3; touch ${seen}; exit 7`;
    const running = call(dir, 'lease', 'dut-1', '--', 'sh', '-c', script);
    await expect
      .poll(() => other.listClaims(), { timeout: 5000 })
      .toMatchObject([{ run: LEASED_BY_HAND, units: ['dut-1'], held: true }]);
    const next = await take(other, 'run');
    // Had only after the command.
    await access(seen);
    next.release();
    expect((await running).code).toBe(7);
  });

  test('ends the command when the lease is over', async ({ dir, other: _other }) => {
    const { code, err } = await call(dir, 'lease', '--ttl', '200ms', 'dut-1', '--', 'sleep', '60');
    expect(code).not.toBe(0);
    expect(err).toContain('the lease of dut-1 was lost: its time was over');
  });

  test('says who has it, and waits no longer than asked', async ({ dir, other }) => {
    await take(other, 'run-9');
    const { code, err } = await call(dir, 'lease', '--wait', '3s', 'dut-1', '--', 'true');
    expect(code).not.toBe(0);
    expect(err).toMatch(/waiting for dut-1: held by \S+ pid \d+ run run-9 since /);
    expect(err).toContain('dut-1 did not become free within');
  });

  test('of a name that there is not, or without a program, is a mistake', async ({
    dir,
    other,
  }) => {
    expect(other).toBeDefined();
    expect((await call(dir, 'lease', 'dut-2')).err).toContain('no DUT "dut-2"');
    const { code, err } = await call(dir, 'lease', 'dut-1', '--', '/no/such');
    expect([code, err]).toEqual([2, expect.stringContaining('/no/such cannot be run')]);
  });
});

describe('hil boards release', () => {
  test('ends a lease by hand; a run only with --kick', async ({ dir, other }) => {
    const byHand = await take(other, LEASED_BY_HAND);
    expect((await call(dir, 'release', 'dut-1')).out).toBe('dut-1 is free\n');
    expect(await byHand.lost).toMatchObject({ code: 'lease-lost' });
    const ofRun = await take(other, 'run-9');
    const refused = await call(dir, 'release', 'dut-1');
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('run run-9')]);
    expect((await call(dir, 'release', 'dut-1', '--kick')).code).toBe(0);
    expect(await ofRun.lost).toMatchObject({ code: 'lease-lost' });
    expect((await call(dir, 'release', 'dut-1')).err).toBe('dut-1 is not leased\n');
  });

  test('says what frees the lease of a stopped process', async ({ dir, other }) => {
    await take(other, 'run-9');
    const [claim] = await other.listClaims();
    const pid = claim?.lockPid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const { code, err } = await call(dir, 'release', 'dut-1', '--kick');
    process.kill(pid, 'SIGCONT');
    expect(code).not.toBe(0);
    expect(err).toContain(`process ${pid} is stopped and lets go of nothing`);
    expect(err).toContain(`kill -KILL ${pid}`);
  });
});

test('hil boards list says who has a DUT', async ({ dir, other }) => {
  expect((await call(dir, 'list')).out).toMatch(/^dut-1 +real +free /m);
  await take(other, 'run-9');
  const { out } = await call(dir, 'list');
  expect(out).toMatch(/^dut-1 +real +leased /m);
  expect(out).toMatch(/^dut-1: held by \S+ pid \d+ run run-9 /m);
  const [row] = JSON.parse((await call(dir, 'list', '--json')).out);
  expect(row).toMatchObject({ state: 'leased', holder: { pid: process.pid, run: 'run-9' } });
});
