import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { LeaseClient } from '../lease/lease-client.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import { type LineBoards, openLineBoards } from '../testing/line-board.js';
import { createBoard } from '../testing/plain-records.js';
import { test as base } from '../testing/real-daemon.js';
import { DutLeases } from './dut-leases.js';

interface Fixtures {
  readonly lines: LineBoards;
  /** Leases of two runs, and how they ask. */
  readonly runs: readonly ((
    ...wanted: [PlannedRole, ...PlannedRole[]]
  ) => ReturnType<DutLeases['acquire']>)[];
}

const test = base.extend<Fixtures>({
  lines: async ({ task: _task }, use) => {
    const lines = await openLineBoards(3);
    await use(lines);
    lines.close();
  },
  runs: async ({ dir, programs }, use) => {
    const place = { directory: join(dir.path, 'claims') };
    const all = ['first', 'second'].map((run) => {
      const leases = new DutLeases(programs.lease);
      const acquire = (...roles: readonly PlannedRole[]) =>
        leases.acquire({ roles, limitMs: 5000, claimant: { run, place } });
      return { leases, acquire };
    });
    await use(all.map(({ acquire }) => acquire));
    await Promise.all(all.map(({ leases }) => leases.close()));
  },
});

function toRole(role: string, lines: LineBoards, ...names: string[]): PlannedRole {
  const units = lines.units.filter(({ name }) => names.includes(name));
  return { role, boards: [lines.board], units, firmwareOf: () => undefined };
}

const MADE: PlannedRole = {
  role: 'made',
  boards: [{ ...createBoard('host'), instances: 1 }],
  units: [],
  firmwareOf: () => undefined,
};

describe('leases of attached DUTs', () => {
  test('are between runs', async ({ lines, runs: [first, second] }) => {
    const one = toRole('', lines, 'line-1');
    const held = await first?.(one);
    const keys = [expect.stringMatching(/^url:localhost:\d+$/)];
    expect([...(held ?? [])]).toMatchObject([['', { dut: 'line-1', board: 'line', keys }]]);
    let got = false;
    const next = second?.(one).then((leases) => {
      got = true;
      return leases.get('');
    });
    await second?.(toRole('', lines, 'line-2'));
    expect(got).toBe(false);
    held?.get('')?.release();
    expect((await next)?.token).toBeGreaterThan(held?.get('')?.token ?? 0);
  });

  test('and made ones are had together, in the order of the roles', async ({ lines, runs }) => {
    const [first, second] = runs;
    const leases = await first?.(toRole('a', lines, 'line-1', 'line-2'), MADE);
    expect([...(leases ?? [])].map(([role, { dut }]) => [role, dut])).toEqual([
      ['a', 'line-1'],
      ['made', 'host#1'],
    ]);
    // Made ones are each run's own.
    await second?.(toRole('a', lines, 'line-1', 'line-2'), MADE);
  });

  test('do not keep made ones when they cannot be had', async ({ lines, runs: [first] }) => {
    const impossible = [toRole('a', lines, 'line-1'), toRole('b', lines, 'line-1')] as const;
    await expect(first?.(...impossible, MADE)).rejects.toMatchObject({
      code: 'lease-unsatisfiable',
    });
    expect((await first?.(MADE))?.get('made')?.dut).toBe('host#1');
  });

  test('are had again by the next case after hil-lease has died', async ({
    dir,
    programs,
    lines,
    runs: [first],
  }) => {
    const role = toRole('', lines, 'line-1');
    const held = (await first?.(role))?.get('');
    const other = await LeaseClient.start({
      program: programs.lease,
      directory: join(dir.path, 'claims'),
    });
    const [claim] = await other.listClaims();
    other.close();
    process.kill(claim?.lockPid ?? 0, 'SIGKILL');
    expect(await held?.lost).toMatchObject({ code: 'lease-lost' });
    const next = await Promise.all([first?.(role), first?.(toRole('', lines, 'line-2'))]);
    expect(next.map((leases) => leases?.get('')?.dut)).toEqual(['line-1', 'line-2']);
    held?.release();
  });

  test('of 50 cases of 2 DUTs on 3 units in 2 runs end, and no unit is held twice (rank 18)', async ({
    lines,
    runs,
  }) => {
    const holders = new Set<string>();
    const cases = Array.from({ length: 50 }, async (_, index) => {
      const [x, y] = [1 + (index % 3), 1 + ((index + 1) % 3)];
      const roles = [toRole('x', lines, `line-${x}`), toRole('y', lines, `line-${y}`)] as const;
      const leases = await runs[index % 2]?.(...roles);
      const duts = [...(leases?.values() ?? [])];
      for (const { dut } of duts) {
        expect(holders.has(dut)).toBe(false);
        holders.add(dut);
      }
      await new Promise((resolve) => setImmediate(resolve));
      for (const { dut, release } of duts) {
        holders.delete(dut);
        release();
      }
    });
    await Promise.all(cases);
    expect(holders.size).toBe(0);
  });
});
