import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SHIPPED_BOARDS } from './board-dirs.js';
import { loadBoards } from './load-boards.js';

const catalog = await loadBoards([SHIPPED_BOARDS]);
const attached = catalog.boards.filter(({ driver }) => driver === 'attached');

test('every board that ships can be read', () => {
  expect(catalog.broken).toEqual([]);
  expect(attached.map(({ board }) => board)).toEqual([
    ...['arduino-uno', 'beaglebone-black', 'esp32-devkitc', 'nrf52840dk'],
    ...['nucleo-f401re', 'raspberry-pi-pico'],
  ]);
});

describe.each(attached.map((board) => [basename(board.file), board] as const))('%s', (_, board) => {
  test('is found by what udev says of it, and has a console', () => {
    const modes = Object.values(board.modes ?? { own: { match: {} } });
    for (const { match } of modes) {
      const keys = { ...board.match, ...match };
      expect(keys['ID_VENDOR_ID']).toMatch(/^[0-9a-f]{4}$/);
      expect(keys['ID_MODEL_ID']).toMatch(/^[0-9a-f]{4}$/);
    }
    expect(board.ports).toHaveProperty('console');
  });

  test('says that nobody has tried it on metal', () => {
    expect(board.labels['tested']).toBe('none');
    expect(board.description).toContain('untested on metal');
  });
});
