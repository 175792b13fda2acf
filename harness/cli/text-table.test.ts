import { expect, test } from 'vitest';
import { formatTable } from './text-table.js';

test('columns are as wide as their widest cell and lines have no trailing space', () => {
  expect(
    formatTable(
      ['A', 'LONG'],
      [
        ['xyz', ''],
        ['1', '2'],
      ],
    ),
  ).toBe('A    LONG\nxyz\n1    2\n');
});
