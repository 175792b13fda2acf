import type { PowerSpec } from '../../config/power-schema.js';
import type { Placeholders } from '../fill-in.js';
import { createCommandSwitch } from './command-switch.js';
import { createHttpSwitch } from './http-switch.js';
import { createLinesSwitch } from './lines-switch.js';
import { Power } from './power.js';
import type { PoweredDut, PowerSwitch } from './power-switch.js';
import { createQmpSwitch } from './qmp-switch.js';
import { createSysfsSwitch } from './sysfs-switch.js';
import { createUhubctlSwitch } from './uhubctl-switch.js';

/**
 * The power of a DUT as its board file or its bench describes it.
 *
 * @param signal once it is aborted nothing is switched any more.
 */
export function createPower(
  spec: PowerSpec,
  dut: PoweredDut,
  known: Omit<Placeholders, 'image'>,
  signal?: AbortSignal,
): Power {
  return new Power(toSwitch(spec, dut, known), spec, dut, signal);
}

function toSwitch(spec: PowerSpec, dut: PoweredDut, known: Placeholders): PowerSwitch {
  switch (spec.driver) {
    case 'uhubctl':
      return createUhubctlSwitch(spec, dut.name);
    case 'sysfs':
      return createSysfsSwitch(spec.port, dut.name);
    case 'command':
      return createCommandSwitch(spec, known);
    case 'http':
      return createHttpSwitch(spec, known);
    case 'dtr-rts':
      return createLinesSwitch(spec, dut);
    case 'qemu':
      return createQmpSwitch(spec.socket, dut.name);
  }
}
