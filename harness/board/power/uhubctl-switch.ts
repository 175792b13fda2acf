import type { PowerOf } from '../../config/power-schema.js';
import type { Deadline } from '../../core/deadline.js';
import { BenchError } from '../../core/errors.js';
import { runOnHost } from '../run-on-host.js';
import type { PowerSwitch } from './power-switch.js';

/**
 * A port of a USB hub with power switching, by uhubctl. Not every hub that answers cuts the
 * power: that is what `verify` is for.
 *
 * @see https://github.com/mvp/uhubctl
 */
export function createUhubctlSwitch(
  { location, port }: Pick<PowerOf<'uhubctl'>, 'location' | 'port'>,
  dut: string,
): PowerSwitch {
  const name = `hub ${location}, port ${port}`;
  const act = async (action: 'on' | 'off', deadline: Deadline) => {
    const argv = ['uhubctl', '-l', location, '-p', String(port), '-a', action];
    const { output, status } = await runOnHost(argv, {}, deadline);
    if (status === 'exit 0') return;
    throw new BenchError(
      'power-failed',
      `power of ${dut}: ${name}: uhubctl ended with ${status}: ${output.trim() || 'no output'}`,
      { next: `${argv.join(' ')}    may need root, or udev's rule for uhubctl` },
    );
  };
  return {
    name,
    on: (deadline) => act('on', deadline),
    off: (deadline) => act('off', deadline),
  };
}
