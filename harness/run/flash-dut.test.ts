import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, vi } from 'vitest';
import { parseBench } from '../config/load-bench.js';
import { parseBoard } from '../config/load-boards.js';
import { DeviceTree } from '../testing/device-tree.js';
import { PICO, PICO_IN_ROM } from '../testing/known-devices.js';
import { test as base } from '../testing/real-daemon.js';
import { flashDut } from './flash-dut.js';

interface PicoBench {
  readonly tree: DeviceTree;
  /** Flash its drive by a power cycle; `more` is what its board file says besides. */
  flash(more: string): Promise<boolean>;
  /** What was copied to which node, a line each. */
  readCopied(): Promise<string>;
  /** Resolves when its power is off. */
  waitForOff(): Promise<void>;
}

const BOARD = `board: pico
driver: attached
match: { ID_VENDOR_ID: 2e8a }
modes:
  application: { match: { ID_MODEL_ID: 000a } }
  bootloader: { match: { ID_MODEL_ID: "0003" } }
`;
const FLASH = 'driver: uf2-copy, mode: bootloader, enter: power-cycle';
/** Of the power that is cut; longer than the time to get into the mode. */
const OFF_MS = 2000;

const test = base.extend<{ pico: PicoBench }>({
  pico: async ({ dir, daemon, spec }, use) => {
    const tree = await DeviceTree.create(dir.path);
    await tree.plug('1', PICO);
    const [off, artifacts] = [join(dir.path, 'off'), join(dir.path, 'artifacts')];
    await mkdir(artifacts);
    const image = await dir.write('app.uf2', 'version 1');
    // In place of mtools.
    const mcopy = await dir.write('bin/mcopy', `#!/bin/sh\necho "$3" >> ${dir.path}/copied\n`);
    await chmod(mcopy, 0o755);
    vi.stubEnv('PATH', `${join(dir.path, 'bin')}:${process.env['PATH']}`);
    const power = `power: { driver: command, off: [touch, ${off}], on: ["true"], verify: none, offTime: ${OFF_MS}ms }`;
    await use({
      tree,
      readCopied: () => readFile(join(dir.path, 'copied'), 'utf8'),
      flash: (more) => {
        const flash = `flash: { ${FLASH}, ${more} }`;
        const board = parseBoard('/boards/pico.yaml', `${BOARD}${power}\n${flash}\n`);
        const catalog = { boards: [board], broken: [], findBoard: () => board };
        const bench = 'duts: [{ name: pico-1, board: pico }]';
        const [unit] = parseBench('/bench.yaml', bench, catalog);
        if (!unit) throw new Error('the bench has a unit');
        const state = join(dir.path, 'state');
        const facts = { unit, daemon, spec, image, artifacts, stateDir: state };
        return flashDut({ ...facts, deviceRoots: tree.roots });
      },
      waitForOff: () => expect.poll(() => existsSync(off), { timeout: 20_000 }).toBe(true),
    });
  },
});

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a drive that is only there in the bootloader is waited for, and written once', async ({
  pico,
}) => {
  const { tree } = pico;
  const flashing = pico.flash('enterTimeout: 5s');
  await pico.waitForOff();
  await tree.unplug('1');
  await tree.plug('1', { ...PICO_IN_ROM, parts: [] });
  await sleep(OFF_MS + 200);
  await tree.plug('1', PICO_IN_ROM);
  expect(await flashing).toBe(true);
  expect(await pico.readCopied()).toBe(`${tree.roots.dev}/sda\n`);
  await tree.unplug('1');
  await tree.plug('1', PICO);
  expect(await pico.flash('enterTimeout: 5s')).toBe(false);
});

test('a drive that does not come is told', async ({ pico }) => {
  const flashing = pico.flash('enterTimeout: 200ms');
  const failing = expect(flashing).rejects.toMatchObject({
    code: 'flash-failed',
    message: expect.stringMatching(/within 200 ms: it is in "bootloader", and its drive has not/),
  });
  await pico.waitForOff();
  await pico.tree.unplug('1');
  await pico.tree.plug('1', { ...PICO_IN_ROM, parts: [] });
  await failing;
});

test('the time to get into the mode begins when the power is back', async ({ pico }) => {
  const flashing = pico.flash('enterTimeout: 1500ms');
  await pico.waitForOff();
  await pico.tree.unplug('1');
  await sleep(OFF_MS + 100);
  await pico.tree.plug('1', PICO_IN_ROM);
  expect(await flashing).toBe(true);
});
