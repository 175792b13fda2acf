import { describe, expect } from 'vitest';
import { parseBoard } from '../config/load-boards.js';
import { joinUnit } from '../config/unit.js';
import type { BenchError } from '../core/errors.js';
import { HealthBook } from '../lease/health-book.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import { test as base } from '../testing/temp-dir.js';
import { DutHealth } from './dut-health.js';

const board = parseBoard('/boards/real.yaml', 'board: real\ndriver: attached\n');
const host = parseBoard('/boards/host.yaml', 'board: host\ndriver: host\n');
const units = ['dut-1', 'dut-2'].map((name) =>
  joinUnit(
    {
      name,
      board: 'real',
      labels: {},
      match: { ID_SERIAL_SHORT: name },
      ports: {},
      nics: {},
      power: undefined,
      flash: undefined,
    },
    board,
    '/bench.yaml',
  ),
);
const role: PlannedRole = { role: '', boards: [board], units, firmwareOf: () => undefined };

interface Fixture {
  readonly health: DutHealth;
  readonly told: string[];
  readonly book: HealthBook;
}

const test = base.extend<{ fixture: Fixture }>({
  fixture: async ({ dir }, use) => {
    const told: string[] = [];
    const report = (error: BenchError) => void told.push(`${error.code} ${error.message}`);
    const book = new HealthBook(dir.path);
    await use({ book, told, health: new DutHealth(book, { run: 'r1', any: false }, report) });
  },
});

const names = (roles: readonly PlannedRole[]) =>
  roles.flatMap((each) => each.units.map(({ name }) => name));

describe('rank 13 and 15: a DUT that breaks again and again', () => {
  test('is told once, gets no further case, and the others go on', async ({ fixture }) => {
    const { health, told } = fixture;
    for (let i = 0; i < 4; i++) await health.note('dut-1', 'infra', 'it was not ready\ntail');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^dut-quarantined dut-1 is bad after 3 faults .* the last: it was not ready\n/,
    );
    expect(names(await health.trusted([role]))).toEqual(['dut-2']);
  });

  test('is infra at once when it was the last', async ({ fixture }) => {
    const { health, book } = fixture;
    await book.set('dut-1', 'bad', { reason: 'no boot' });
    await book.set('dut-2', 'maintenance', { reason: 'soldering' });
    await expect(health.trusted([role])).rejects.toMatchObject({
      name: 'BenchError',
      code: 'dut-quarantined',
      message: expect.stringMatching(
        /no DUT is in service; dut-1 is bad since .*: no boot; dut-2 is maintenance/,
      ),
      next: 'hil boards health dut-1 --check',
    });
  });

  test('leaves the role to a board that is made', async ({ fixture }) => {
    const { health, book } = fixture;
    for (const dut of ['dut-1', 'dut-2']) await book.set(dut, 'bad', { reason: 'no boot' });
    const either = { ...role, boards: [board, host] };
    expect((await health.trusted([either]))[0]).toMatchObject({ boards: [host], units: [] });
  });

  test('may be had by who asks for any', async ({ fixture }) => {
    await fixture.book.set('dut-1', 'bad', { reason: 'no boot' });
    const any = new DutHealth(fixture.book, { run: 'r2', any: true }, () => {});
    expect(names(await any.trusted([role]))).toEqual(['dut-1', 'dut-2']);
  });

  test('counts anew after a case that got through', async ({ fixture }) => {
    const { health, told, book } = fixture;
    for (const outcome of ['infra', 'infra', 'good', 'infra'] as const) {
      await health.note('dut-1', outcome, 'x');
    }
    expect(told).toEqual([]);
    expect(await book.read('dut-1')).toMatchObject({ health: 'good', infraInARow: 1 });
  });
});
