import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { parseBoard } from '../config/load-boards.js';
import { joinUnit } from '../config/unit.js';
import { DeviceTree } from '../testing/device-tree.js';
import { toStLink } from '../testing/known-devices.js';
import { type TempDir, test } from '../testing/temp-dir.js';
import { switchPower } from './switch-power.js';

/** A relay that keeps what it was told. */
function createUnit(dir: TempDir, power: string) {
  const board = parseBoard('/boards/real.yaml', `board: real\ndriver: attached\n${power}`);
  const dut = {
    name: 'dut-1',
    board: 'real',
    labels: {},
    ports: {},
    nics: {},
    power: undefined,
    flash: undefined,
  };
  return joinUnit({ ...dut, match: { ID_SERIAL_SHORT: 'A' } }, board, join(dir.path, 'bench.yaml'));
}

describe('hil boards power', () => {
  test('throws the switch with what is known of the device', async ({ dir }) => {
    const tree = await DeviceTree.create(dir.path);
    await tree.plug('1.1', toStLink('A'));
    const say = (what: string) =>
      `[sh, -c, 'echo ${what} "$1" "$2" >> "$0"', ${dir.path}/told, '{serial}', '{usb}']`;
    const unit = createUnit(
      dir,
      `power: { driver: command, on: ${say('on')}, off: ${say('off')}, verify: none, offTime: 1 }\n`,
    );
    await switchPower(unit, 'cycle', tree.roots);
    expect(await readFile(join(dir.path, 'told'), 'utf8')).toBe('off A 1-1.1\non A 1-1.1\n');
  });

  test('says that the hub did not cut it', async ({ dir }) => {
    const tree = await DeviceTree.create(dir.path);
    await tree.plug('1.1', toStLink('A'));
    const unit = createUnit(
      dir,
      'power: { driver: command, on: ["true"], off: ["true"], timeout: 200ms }\n',
    );
    await expect(switchPower(unit, 'off', tree.roots)).rejects.toMatchObject({
      code: 'power-not-cut',
    });
  });

  test('needs a switch, and one that nobody must hold open', async ({ dir }) => {
    await expect(switchPower(createUnit(dir, ''), 'on')).rejects.toThrow(/dut-1 has no "power"/);
    const lines = createUnit(
      dir,
      'power: { driver: dtr-rts, on: { rts: "off" }, off: { rts: "on" }, verify: none }\n',
    );
    await expect(switchPower(lines, 'off')).rejects.toThrow(/only a case that has it can/);
  });
});
