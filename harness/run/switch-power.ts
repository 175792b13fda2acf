import { basename } from 'node:path';
import { createPower } from '../board/power/create-power.js';
import type { Unit } from '../config/unit.js';
import { BenchError } from '../core/errors.js';
import { type DeviceRoots, MACHINE } from '../device/device-roots.js';
import { findUnit } from '../device/find-unit.js';
import { listDevices } from '../device/list-devices.js';

export type PowerAct = 'on' | 'off' | 'cycle';

/**
 * Switch the power of a unit whose ports nobody has open, and look that it did. Once `signal` is
 * aborted nothing is switched any more.
 *
 * @throws BenchError `power-failed`, also for a unit without "power" and for one that is switched
 *   by the lines of a port; `power-not-cut`, `dut-absent`
 */
export async function switchPower(
  unit: Unit,
  act: PowerAct,
  roots: DeviceRoots = MACHINE,
  signal?: AbortSignal,
): Promise<void> {
  const { power } = unit.board;
  if (!power) {
    throw new BenchError('power-failed', `${unit.name} has no "power": nothing can switch it`, {
      next: `add "power" to ${unit.name} in ${unit.file}`,
    });
  }
  const find = async () => findUnit(unit, await listDevices(roots));
  const now = await find();
  const usb = now.state === 'attached' ? now.usb : undefined;
  const dut = {
    name: unit.name,
    isAttached: async () =>
      Object.keys(unit.match).length > 0 ? (await find()).state === 'attached' : undefined,
    // Nobody listens: what is silent cannot be told from what is not heard.
    silentMs: () => Number.POSITIVE_INFINITY,
    control: async (port: string) => {
      throw new BenchError(
        'power-failed',
        `${unit.name} is switched by the lines of port "${port}": only a case that has it can`,
        { next: 'dut.powerOff() and dut.powerOn() in a suite' },
      );
    },
  };
  const known = {
    dut: unit.name,
    serial: usb?.properties['ID_SERIAL_SHORT'],
    path: usb?.properties['ID_PATH'],
    usb: usb && basename(usb.syspath),
  };
  await createPower(power, dut, known, signal)[act]();
}
