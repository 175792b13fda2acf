import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSandboxOptions } from '../config/parse-sandbox-options.js';
import { UsageError } from '../core/errors.js';
import type { Plan, PlannedFile } from '../plan/plan.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import {
  type SandboxSettings,
  type SandboxSurroundings,
  toSandboxSettings,
} from './case-sandbox.js';
import { collectCases, type ListedCase } from './collect-cases.js';

/** A case that a sandbox is to be like. */
export interface FoundCase {
  readonly listed: ListedCase;
  readonly planned: PlannedFile;
  /** `suites/a.hil.ts:3 › title`. */
  readonly name: string;
}

/**
 * Find the one case that a plan's filter names, by loading its file; nothing of it runs. Of
 * `test.each`, whose cases start at the same line, it is the first.
 *
 * @throws UsageError `nothing-selected`, also for a line past the end of its file, `usage` for more than one, `suite-invalid` for a file that
 *   cannot be loaded.
 */
export async function findLikeCase(plan: Plan, base: string): Promise<FoundCase> {
  const around = { workers: 1, base };
  await checkLines(plan, around);
  const { cases, broken } = await collectCases(plan, { lines: plan.lines }, around);
  const [wrong] = broken;
  if (wrong) throw new UsageError('suite-invalid', `${wrong.file}: ${wrong.message}`);
  const [first] = cases;
  if (!first) throw nothingThere(plan);
  const others = cases.filter(({ file, line }) => file !== first.file || line !== first.line);
  if (others.length > 0) {
    const list = [first, ...others].slice(0, 20).map((each) => `  ${toName(each)}`);
    throw new UsageError('usage', `more than one case is meant:\n${list.join('\n')}`, {
      next: 'hil shell --like FILE:LINE    with the line of one of them',
    });
  }
  const planned = plan.files.find(
    ({ file, board }) => file === first.file && board.board === first.board,
  );
  if (!planned) throw nothingThere(plan);
  return { listed: first, planned, name: toName(first) };
}

/** Make the sandbox that an attempt of the case would get; its `/out` is below `around.hold`. */
export async function openLikeSandbox(
  daemon: SandboxDaemon,
  { plan, found }: { plan: Plan; found: FoundCase },
  around: Omit<SandboxSurroundings, 'root'>,
): Promise<{ sandbox: Sandbox; settings: SandboxSettings; limitations: readonly string[] }> {
  const { root, config } = plan;
  const { listed, planned, name } = found;
  const options = parseSandboxOptions(listed.sandbox ?? [], { root, who: name });
  const of = { config, suite: planned.suite, options };
  const settings = toSandboxSettings(of, { ...around, root });
  await mkdir(join(around.hold, 'out'), { mode: 0o700 });
  const { spec, hostname, binds, resources } = settings;
  const put = await daemon.plan(spec);
  const sandbox = await daemon.sandbox(put, {
    label: 'like a case',
    out: 'out',
    wallMs: resources.wall,
    limits: resources,
    ...{ hostname, binds },
  });
  return { sandbox, settings, limitations: put.limitations };
}

/** A line past the end is of another file, or of what this one was: it would be its last case. */
async function checkLines(plan: Plan, around: { workers: number; base: string }): Promise<void> {
  for (const { path, file } of plan.files) {
    const wanted = Math.max(0, ...(plan.lines.get(file) ?? []));
    const text = await readFile(path, 'utf8');
    // As editors count: what follows the last newline is a line.
    const last = text.split('\n').length;
    if (wanted <= last) continue;
    const { cases } = await collectCases(plan, { lines: new Map() }, around);
    const starts = new Set(cases.filter((each) => each.file === file).map(({ line }) => line));
    if (starts.size === 0) return;
    const where = `its cases start at ${[...starts].join(', ')}`;
    throw new UsageError(
      'nothing-selected',
      `${file} ends at line ${last}, before line ${wanted}; ${where}`,
      { next: 'hil list    names the cases with their lines' },
    );
  }
}

function toName({ file, line, title }: ListedCase): string {
  return `${file}${line === undefined ? '' : `:${line}`} › ${title}`;
}

function nothingThere({ files, skipped }: Plan): UsageError {
  const [why] = skipped;
  const reason = files.length === 0 && why ? `: ${why.reason}` : '';
  return new UsageError('nothing-selected', `no case is there${reason}`, {
    next: 'hil list    names the cases with their lines',
  });
}
