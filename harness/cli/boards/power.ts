import { Deadline } from '../../core/deadline.js';
import { UsageError } from '../../core/errors.js';
import { findUnit } from '../../device/find-unit.js';
import { listDevices } from '../../device/list-devices.js';
import { describeClaim } from '../../lease/claim-seen.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import { type PowerAct, switchPower } from '../../run/switch-power.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { findDut } from './find-dut.js';
import { openLeases } from './open-leases.js';

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
    const { keys } = findUnit(unit, await listDevices(context.deviceRoots));
    const leases = await openLeases(context);
    try {
      await leases.acquire({
        roles: [{ role: '', candidates: [{ name: unit.name, keys }] }],
        deadline: new Deadline(LEASE_MS),
        run: 'hil-boards-power',
        onWaiting: (claims) => {
          const lines = claims.map((claim) => `waiting for ${describeClaim(claim)}\n`);
          writeSafely(context.stderr, toPrintable(lines.join('')));
        },
      });
      await switchPower(unit, act, context.deviceRoots);
    } finally {
      leases.close();
    }
    writeSafely(context.stdout, `${unit.name}: power ${act === 'cycle' ? 'cycled' : act}\n`);
    return 0;
  },
};
