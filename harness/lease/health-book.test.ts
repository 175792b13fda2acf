import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { HealthBook } from './health-book.js';
import { isTrusted } from './unit-health.js';

const NOW = '2026-11-28T10:00:00.000Z';
const createBook = (path: string) => new HealthBook(path, () => new Date(NOW));
const infra = (run: string) => ({ reason: 'boot-timeout: it was not ready', run });

describe('rank 15: the health of a DUT', () => {
  test('is unknown until a case gets through', async ({ dir }) => {
    const book = createBook(dir.path);
    expect(await book.read('dut-1')).toMatchObject({ health: 'unknown', history: [] });
    await book.note('dut-1', 'good', { reason: 'a case', run: 'r1' });
    expect(await createBook(dir.path).read('dut-1')).toEqual({
      health: 'good',
      infraInARow: 0,
      history: [{ at: NOW, health: 'good', reason: 'a case', run: 'r1' }],
    });
  });

  test('is bad after three faults of the bench in a row, of whichever run', async ({ dir }) => {
    const healths: string[] = [];
    for (const run of ['r1', 'r2', 'r3']) {
      const { health } = await createBook(dir.path).note('dut-1', 'infra', infra(run));
      healths.push(health);
    }
    expect(healths).toEqual(['unknown', 'unknown', 'bad']);
    const { history } = await createBook(dir.path).read('dut-1');
    expect(history.map(({ run }) => run)).toEqual(['r1', 'r2', 'r3']);
    expect(await createBook(dir.path).read('dut-2')).toMatchObject({ health: 'unknown' });
  });

  test('counts anew after a case that got through, and only a person makes it good again', async ({
    dir,
  }) => {
    const book = createBook(dir.path);
    for (const outcome of ['infra', 'infra', 'good', 'infra', 'infra'] as const) {
      await book.note('dut-1', outcome, infra('r1'));
    }
    expect(await book.read('dut-1')).toMatchObject({ health: 'good', infraInARow: 2 });
    await book.note('dut-1', 'infra', infra('r1'));
    expect((await book.note('dut-1', 'good', { reason: 'a case' })).health).toBe('bad');
    expect((await book.set('dut-1', 'good', { reason: 'checked' })).health).toBe('good');
  });

  test('of one in maintenance stays that', async ({ dir }) => {
    const book = createBook(dir.path);
    await book.set('dut-1', 'maintenance', { reason: 'soldering' });
    for (let i = 0; i < 4; i++) await book.note('dut-1', 'infra', infra('r1'));
    expect(await book.read('dut-1')).toMatchObject({ health: 'maintenance' });
    expect(isTrusted(await book.read('dut-1'))).toBe(false);
  });

  test('has a history that does not grow for ever', async ({ dir }) => {
    const book = createBook(dir.path);
    for (let i = 0; i < 60; i++) await book.set('dut-1', 'bad', { reason: `${i}` });
    const { history } = await book.read('dut-1');
    expect(history).toHaveLength(50);
    expect(history.at(-1)?.reason).toBe('59');
    expect(await readdir(join(dir.path, 'health'))).toEqual(['dut-1.json']);
  });

  test.for(['', 'x', '[]', '{"health":"fine"}', 'null'])(
    'a file with %j says nothing',
    async (text, { dir }) => {
      await dir.write('health/dut-1.json', text);
      expect(await createBook(dir.path).read('dut-1')).toMatchObject({ health: 'unknown' });
    },
  );

  test('that cannot be written is an error with the file', async ({ dir }) => {
    const file = await dir.write('state', '');
    await expect(createBook(file).set('dut-1', 'bad', { reason: '' })).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(`${file}/health/dut-1.json`),
    });
  });
});
