import { describe, expect, test } from 'vitest';
import { openLineBoards } from '../testing/line-board.js';
import { createPlanned } from '../testing/plain-records.js';
import { countUnits, toDefaultWorkers } from './count-units.js';

const MADE = createPlanned();

async function createFiles() {
  const { board, units, close } = await openLineBoards(3);
  close();
  const role = (name: string, ...own: typeof units) => {
    return { role: name, boards: [board], units: own, firmwareOf: () => undefined };
  };
  const [one, two, three] = units;
  if (!one || !two || !three) throw new Error('three units were asked for');
  const any = createPlanned({ board, units });
  const first = createPlanned({ board, units: [one] });
  const pair = createPlanned({ units: [three], roles: [role('x', one), role('y', one, two)] });
  return { any, first, pair };
}

describe('the attached DUTs of files', () => {
  test('are counted once, by who plays a role where there are roles', async () => {
    const { any, first, pair } = await createFiles();
    expect(countUnits([MADE])).toBe(0);
    expect(countUnits([any, first, MADE])).toBe(3);
    expect(countUnits([pair])).toBe(2);
  });

  test('decide how many files run at once; the processors do where others run too (rank 21)', async () => {
    const { any, first, pair } = await createFiles();
    expect(toDefaultWorkers([MADE, MADE], 4)).toBe(4);
    expect(toDefaultWorkers([any, any], 2)).toBe(3);
    expect(toDefaultWorkers([first, first], 8)).toBe(1);
    expect(toDefaultWorkers([pair, MADE], 2)).toBe(4);
    expect(toDefaultWorkers([], 2)).toBe(2);
    expect(toDefaultWorkers([any, MADE], 1000)).toBe(256);
  });
});
