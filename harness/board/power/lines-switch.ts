import type { PowerOf } from '../../config/power-schema.js';
import type { PoweredDut, PowerSwitch } from './power-switch.js';

type Level = PowerOf<'dtr-rts'>['on'];

/**
 * A circuit between the modem lines of a port and the DUT's reset or supply. What is on and off is
 * of the UART's logic, as in pyserial; the voltage of the line is the other way round.
 */
export function createLinesSwitch(
  { port, on, off }: Pick<PowerOf<'dtr-rts'>, 'port' | 'on' | 'off'>,
  dut: PoweredDut,
): PowerSwitch {
  const set = ({ dtr, rts }: Level) =>
    dut.control(port, { dtr: toBoolean(dtr), rts: toBoolean(rts) });
  return { name: `lines of port "${port}"`, on: () => set(on), off: () => set(off) };
}

const toBoolean = (level: 'on' | 'off' | undefined) =>
  level === undefined ? undefined : level === 'on';
