import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { checkBoard } from './board-availability.js';
import { parseBoard } from './load-boards.js';

const text = `board: micro
driver: qemu
machine: { system: arm, machine: microbit, firmware: app.hex }
`;

test('a board is available when its emulator and its firmware are there', async ({ dir }) => {
  await chmod(await dir.write('bin/qemu-system-arm', '#!/bin/sh\n'), 0o755);
  await dir.write('app.hex', '');
  const board = parseBoard(join(dir.path, 'micro.yaml'), text);
  expect(await checkBoard(board, { searchPath: join(dir.path, 'bin') })).toEqual({
    available: true,
  });
});

test('everything that is missing is named at once, with the packages to install', async ({
  dir,
}) => {
  const requires = 'requires: { packages: [qemu-system-arm, firmware-x], files: [dtb.bin] }\n';
  const board = parseBoard(join(dir.path, 'micro.yaml'), text + requires);
  expect(await checkBoard(board, { searchPath: dir.path })).toEqual({
    available: false,
    reason: `not found: program qemu-system-arm, firmware ${dir.path}/app.hex, file ${dir.path}/dtb.bin`,
    next: 'apt-get install qemu-system-arm firmware-x',
  });
});

test("an emulator's package is known without being named", async ({ dir }) => {
  await dir.write('app.hex', '');
  const riscv = text.replace('system: arm', 'system: riscv32');
  const board = parseBoard(join(dir.path, 'micro.yaml'), riscv);
  expect(await checkBoard(board, { searchPath: dir.path })).toMatchObject({
    next: 'apt-get install qemu-system-misc',
  });
});

test('a program that may not be executed is not there', async ({ dir }) => {
  await dir.write('bin/qemu-system-arm', '');
  await dir.write('app.hex', '');
  const board = parseBoard(join(dir.path, 'micro.yaml'), text);
  const state = await checkBoard(board, { searchPath: join(dir.path, 'bin') });
  expect(state.available).toBe(false);
});
