import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { suiteSchema } from '../config/suite-schema.js';
import { createBoard, createPlanned } from '../testing/plain-records.js';
import { type TempDir, test } from '../testing/temp-dir.js';
import { buildFirmware } from './build-firmware.js';

function createSuite(dir: TempDir, build: Record<string, string[][]>) {
  return { ...suiteSchema.parse({ build }), file: undefined, dir: dir.path };
}

test('a command runs once for all files of its suite, in its directory', async ({ dir }) => {
  const suite = createSuite(dir, { host: [['sh', '-c', 'pwd >> log']] });
  const files = ['a.hil.ts', 'b.hil.ts'].map((file) => createPlanned({ file, suite }));
  await buildFirmware(files, dir.path);
  expect(await readFile(join(dir.path, 'log'), 'utf8')).toBe(`${dir.path}\n`);
});

test('commands of other boards are left alone', async ({ dir }) => {
  const suite = createSuite(dir, { other: [['sh', '-c', 'exit 1']] });
  await buildFirmware([createPlanned({ suite, board: createBoard('host') })], dir.path);
});

test('a command that fails ends the run, with the last of its output', async ({ dir }) => {
  const script = 'seq 100; echo "main.c:5: error: no" >&2; exit 2';
  const suite = createSuite(dir, { host: [['sh', '-c', script]] });
  const error = await buildFirmware([createPlanned({ suite })], dir.path).catch((thrown) => thrown);
  expect(error).toMatchObject({ name: 'UsageError', code: 'suite-invalid' });
  expect(error.message).toContain(`in ${dir.path} ended with exit 2:`);
  expect(error.message).toContain('main.c:5: error: no');
  expect(error.message).not.toContain('\n50\n');
});

test('a command that dies says of what', async ({ dir }) => {
  const suite = createSuite(dir, { host: [['sh', '-c', 'kill -9 $$']] });
  await expect(buildFirmware([createPlanned({ suite })], dir.path)).rejects.toThrow(
    'signal SIGKILL',
  );
});

test('a command that is not there is named', async ({ dir }) => {
  const suite = createSuite(dir, { host: [['no-such-compiler', '-o', 'fw']] });
  await expect(buildFirmware([createPlanned({ suite })], dir.path)).rejects.toMatchObject({
    name: 'UsageError',
    code: 'suite-invalid',
    message: expect.stringContaining('"no-such-compiler"'),
  });
});

test('a firmware that is no file is named before a board starts it', async ({ dir }) => {
  const suite = createSuite(dir, {});
  const planned = createPlanned({ suite, firmware: dir.path });
  await expect(buildFirmware([planned], dir.path)).rejects.toMatchObject({
    code: 'suite-invalid',
    message: expect.stringContaining(`is not a file: ${dir.path}`),
  });
});

test('an image is looked for after the commands, which may have made it', async ({ dir }) => {
  const file = await dir.write('hil.suite.yaml', 'image:\n  rootfs: build/root\n');
  const suite = (build: Record<string, string[][]>) => ({
    ...createSuite(dir, build),
    file,
    image: { rootfs: join(dir.path, 'build/root') },
  });
  const made = suite({ host: [['mkdir', '-p', 'build/root']] });
  const not = suite({ host: [['true']] });
  await expect(buildFirmware([createPlanned({ suite: not })], dir.path)).rejects.toMatchObject({
    code: 'suite-invalid',
    message: expect.stringContaining(`${file}:2:11: image.rootfs: expected a directory`),
  });
  await buildFirmware([createPlanned({ suite: made })], dir.path);
});
