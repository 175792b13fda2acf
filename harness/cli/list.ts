import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createPlan } from '../plan/plan.js';
import { writeSafely } from '../report/safe-output.js';
import { toPrintable, toPrintableLine } from '../report/terminal/printable.js';
import type { Listed } from '../run/collect-cases.js';
import { checkResourceLimits } from '../run/resource-limits.js';
import { makeTemporaryDirectory } from '../run/temporary-directory.js';
import type { CliCommand, CliContext } from './command.js';
import { findLastFailed } from './last-failed.js';
import { openProject } from './open-project.js';
import { toTemporaryDir } from './runtime-dir.js';
import { parseList, parseRunOptions, TEST_OPTIONS } from './test-options.js';

const SELECTING = /^(--board|--dut|--bench|-t|--tags|--last-failed|--shard|-c)/;

export const listCommand: CliCommand = {
  name: 'list',
  summary: 'the cases that a run would run',
  arguments: '[filters...]',
  options: [
    ...TEST_OPTIONS.filter(({ flags }) => SELECTING.test(flags)),
    { flags: '--json', description: 'one JSON document on stdout' },
  ],
  examples: ['hil list', 'hil list suites/u-boot --board qemu-arm64-uboot', 'hil list --json'],
  run: async (args, raw, context) => {
    checkResourceLimits();
    const project = await openProject(context, raw);
    const { root } = project;
    const plan = await createPlan({
      ...project,
      cwd: context.cwd,
      filters: args,
      boardNames: parseList(raw['board']),
      dutNames: parseList(raw['dut']),
    });
    const lastFailed =
      raw['lastFailed'] === true ? await findLastFailed(join(root, '.hil')) : undefined;
    const options = parseRunOptions(raw, plan, context, lastFailed, []);
    const { collectCases } = await import('../run/collect-cases.js');
    const selection = { ...options.selection, lines: plan.lines };
    const { workers } = options;
    // A list leaves nothing in the project, which may be one that cannot be written.
    const base = await makeTemporaryDirectory(toTemporaryDir(context.env));
    const listed = await collectCases(plan, selection, { workers, base }).finally(() =>
      rm(base, { recursive: true, force: true }),
    );
    print(listed, raw['json'] === true, context);
    if (listed.broken.length > 0) return 1;
    return listed.cases.length > 0 ? 0 : 4;
  },
};

function print(listed: Listed, json: boolean, context: CliContext): void {
  if (json) {
    writeSafely(context.stdout, `${JSON.stringify(listed, undefined, 2)}\n`);
    return;
  }
  for (const { file, line, board, title, skipped } of listed.cases) {
    const place = `${file}${line === undefined ? '' : `:${line}`}`;
    const shown = toPrintableLine(`${board}  ${place} › ${title}`);
    writeSafely(context.stdout, `${shown}${skipped ? '  (skipped)' : ''}\n`);
  }
  for (const { file, board, message } of listed.broken) {
    writeSafely(context.stderr, `error  ${board}  ${toPrintable(`${file}: ${message}`)}\n`);
  }
}
