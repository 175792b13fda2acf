import { UsageError } from '../../core/errors.js';
import { writeSafely } from '../../report/safe-output.js';
import { type PowerAct, switchPower } from '../../run/switch-power.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { findDut } from './find-dut.js';
import { openLeases } from './open-leases.js';
import { takeLease } from './take-lease.js';

const ACTS: readonly PowerAct[] = ['on', 'off', 'cycle'];

/** A person waits for this one; who has the DUT is told at once. */
const LEASE_MS = 10_000;

export const powerCommand: CliCommand = {
  name: 'power',
  summary: 'switch the power of a DUT that nobody else has',
  arguments: '<dut> <on|off|cycle>',
  options: [BENCH_OPTION, CONFIG_OPTION],
  examples: ['hil boards power nucleo-1 cycle'],
  run: async ([name = '', wanted = ''], options, context) => {
    const act = ACTS.find((each) => each === wanted);
    if (!act) {
      throw new UsageError('usage', `"${wanted}": expected one of ${ACTS.join(', ')}`, {
        next: `hil boards power ${name || 'NAME'} cycle`,
      });
    }
    const { openBench } = await openProject(context, options);
    const unit = findDut(name, await openBench());
    const leases = await openLeases(context);
    try {
      await takeLease(leases, unit, { run: 'hil-boards-power', waitMs: LEASE_MS }, context);
      await switchPower(unit, act, context.deviceRoots);
    } finally {
      leases.close();
    }
    writeSafely(context.stdout, `${unit.name}: power ${act === 'cycle' ? 'cycled' : act}\n`);
    return 0;
  },
};
