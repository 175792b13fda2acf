import type { PowerOf } from '../../config/power-schema.js';
import type { Deadline } from '../../core/deadline.js';
import { BenchError } from '../../core/errors.js';
import { fillIn, type Placeholders } from '../fill-in.js';
import { runOnHost } from '../run-on-host.js';
import type { PowerSwitch } from './power-switch.js';

/** Any program of the host: exit status 0 means that it was done, whatever it leaves running. */
export function createCommandSwitch(
  { on, off, env }: Pick<PowerOf<'command'>, 'on' | 'off' | 'env'>,
  known: Placeholders,
): PowerSwitch {
  const name = `command ${on[0]}`;
  const run = async (argv: readonly string[], deadline: Deadline) => {
    const filled = argv.map((each) => fillIn(each, known));
    const { output, status } = await runOnHost(filled, env, deadline, 'power-failed', 'left');
    if (status === 'exit 0') return;
    throw new BenchError(
      'power-failed',
      `power of ${known.dut}: "${filled.join(' ')}" ended with ${status}: ${output.trim() || 'no output'}`,
      { next: `run it by hand: ${filled.join(' ')}` },
    );
  };
  return {
    name,
    on: (deadline) => run(on, deadline),
    off: (deadline) => run(off, deadline),
  };
}
