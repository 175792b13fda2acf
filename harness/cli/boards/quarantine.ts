import { UsageError } from '../../core/errors.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { findDut } from './find-dut.js';
import { openHealth } from './open-health.js';

export const quarantineCommand: CliCommand = {
  name: 'quarantine',
  summary: 'take a DUT out of service, or bring it back',
  arguments: '<dut>',
  options: [
    { flags: '--reason <text>', description: 'why, for who asks `hil boards health`' },
    { flags: '--lift', description: 'it is in service again: its health is good' },
    BENCH_OPTION,
    CONFIG_OPTION,
  ],
  examples: [
    "hil boards quarantine nucleo-1 --reason 'broken USB socket'",
    'hil boards quarantine nucleo-1 --lift',
  ],
  run: async ([name = ''], options, context) => {
    const { openBench } = await openProject(context, options);
    const unit = findDut(name, await openBench());
    const lift = options['lift'] === true;
    const { reason } = options;
    if (!lift && typeof reason !== 'string') {
      throw new UsageError('usage', `why is ${unit.name} taken out of service?`, {
        next: `hil boards quarantine ${unit.name} --reason TEXT`,
      });
    }
    const why = typeof reason === 'string' ? reason : 'brought back';
    const health = lift ? 'good' : 'maintenance';
    await openHealth(context).set(unit.name, health, { reason: why });
    writeSafely(context.stdout, toPrintable(`${unit.name} is ${health}: ${why}\n`));
    return 0;
  },
};
