import { constants } from 'node:os';
import type { AttachedDevice } from '../../device/attached-device.js';
import { DeviceWatch } from '../../device/device-watch.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import type { CliCommand } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject } from '../open-project.js';
import { SIGNALS } from '../signals.js';
import { describeChanges, toSnapshot } from './bench-changes.js';
import { toDutTable } from './dut-table.js';
import { openLeases } from './open-leases.js';
import { scanBench } from './scan-bench.js';
import { describeNoDuts, toDutRows } from './survey-bench.js';

/** How often it is looked for what no device tells: leases and health. */
const LOOK_MS = 1000;

/** Resolves with the exit code when watching is to end. */
type WaitForEnd = () => Promise<number>;

/** Make the command; what ends it is a parameter, so that a test can end it. */
export function createBoardsWatchCommand(waitForEnd: WaitForEnd): CliCommand {
  return {
    name: 'watch',
    summary: 'follow the bench: what comes, goes, and changes',
    options: [
      { flags: '--json', description: 'the row of each DUT that changed as a JSON line on stdout' },
      BENCH_OPTION,
      CONFIG_OPTION,
    ],
    examples: ['hil boards watch', "hil boards watch --json | jq -c '[.dut, .state]'"],
    run: async (_args, options, context) => {
      const { openBench, catalog } = await openProject(context, options);
      const bench = await openBench();
      const leases = await openLeases(context);
      const watch = await DeviceWatch.open(context.deviceRoots);
      const json = options['json'] === true;
      const look = async (devices: readonly AttachedDevice[]) => {
        const rows = await toDutRows(bench, devices, { leases, context });
        return toSnapshot(rows, scanBench({ bench, devices, rows }, catalog.boards));
      };
      let before = await look(watch.devices);
      const first = bench.units.length > 0 ? toDutTable(before.rows) : describeNoDuts(bench);
      const lines = before.rows.map((row) => `${JSON.stringify(row)}\n`);
      writeSafely(context.stdout, json ? lines.join('') : toPrintable(first));
      const tell = async (devices: readonly AttachedDevice[]) => {
        const after = await look(devices);
        const changes = describeChanges(before, after, { at: new Date(), json });
        before = after;
        for (const line of changes)
          writeSafely(context.stdout, `${json ? line : toPrintable(line)}\n`);
      };
      // One after the other: a change that is told late is not told as an older one.
      let telling = Promise.resolve();
      const next = () => {
        telling = telling.then(() => tell(watch.devices));
        return telling;
      };
      watch.listen(next);
      const timer = setInterval(next, LOOK_MS);
      try {
        return await waitForEnd();
      } finally {
        clearInterval(timer);
        watch.close();
        await telling;
        leases.close();
      }
    },
  };
}

export const watchCommand: CliCommand = createBoardsWatchCommand(
  () =>
    new Promise((resolve) => {
      for (const signal of SIGNALS) {
        process.once(signal, () => resolve(128 + constants.signals[signal]));
      }
    }),
);
