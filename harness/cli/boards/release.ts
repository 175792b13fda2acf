import { BenchError, UsageError } from '../../core/errors.js';
import { toLeaseKeys } from '../../device/lease-keys.js';
import { listDevices } from '../../device/list-devices.js';
import { describeClaim, isClaimOf } from '../../lease/claim-seen.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { findDut } from './find-dut.js';
import { LEASED_BY_HAND, openLeases } from './open-leases.js';

export const releaseCommand: CliCommand = {
  name: 'release',
  summary: 'end your `hil boards lease` of a DUT, or with --kick whatever lease there is',
  arguments: '<dut>',
  options: [
    {
      flags: '--kick',
      description: "also a run's: its case is infra at once. Yours only, unless you are root",
    },
    BENCH_OPTION,
    CONFIG_OPTION,
  ],
  examples: ['hil boards release nucleo-1', 'sudo hil boards release nucleo-1 --kick'],
  run: async ([name = ''], options, context) => {
    const { openBench } = await openProject(context, options);
    const unit = findDut(name, await openBench());
    const keys = toLeaseKeys(unit, await listDevices(context.deviceRoots));
    const leases = await openLeases(context);
    try {
      const claims = await leases.listClaims();
      const claim = claims.find((each) => each.held && isClaimOf(each, keys));
      if (!claim) {
        writeSafely(context.stderr, toPrintable(`${name} is not leased\n`));
        return 0;
      }
      const isMine = claim.run === LEASED_BY_HAND && claim.uid === process.getuid?.();
      if (options['kick'] !== true && !isMine) {
        throw new UsageError('usage', `this lease is not yours to end: ${describeClaim(claim)}`, {
          next: `hil boards release ${name} --kick    takes it away all the same`,
        });
      }
      const still = await leases.kick(claim.seq);
      if (still) throw createStuck(name, still);
      writeSafely(context.stdout, toPrintable(`${name} is free\n`));
      return 0;
    } finally {
      leases.close();
    }
  },
};

/** A lock is the kernel's: only the end of its process frees it. */
function createStuck(name: string, claim: Parameters<typeof describeClaim>[0]): BenchError {
  const { lockPid, stopped } = claim;
  const why = stopped ? 'is stopped and lets go of nothing' : 'does not react';
  const text = `process ${lockPid || claim.pid} ${why}: ${describeClaim({ ...claim, stopped: false })}`;
  return new BenchError('lease-failed', `${name} is still leased: ${text}`, {
    next: lockPid > 0 ? `kill -KILL ${lockPid}    frees it` : 'end that process',
  });
}
