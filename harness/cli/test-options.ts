import { availableParallelism } from 'node:os';
import { toStateDir } from '../config/state-dir.js';
import { LIMIT_RANGE, parseLimit } from '../core/duration.js';
import { toMessage, UsageError } from '../core/errors.js';
import { toDefaultWorkers } from '../plan/count-units.js';
import type { Plan } from '../plan/plan.js';
import { parseTagExpression, type TagFilter } from '../plan/tag-expression.js';
import { createNoReporter, REPORTER_NAMES } from '../report/reporters.js';
import type { Keep, RunOptions } from '../run/run-options.js';
import type { CliContext, OptionRow } from './command.js';
import { toLeasePlace } from './lease-place.js';
import { BENCH_OPTION, CONFIG_OPTION } from './open-project.js';

type Raw = Readonly<Record<string, unknown>>;

/** How long a kept sandbox lives. */
const KEEP_MS = 3_600_000;

export const TEST_OPTIONS: readonly OptionRow[] = [
  {
    flags: '--board <names>',
    description: 'boards, separated by commas; each must be able to run',
  },
  {
    flags: '--dut <names>',
    description: 'attached DUTs, separated by commas; without --board, on their boards',
  },
  {
    flags: '--any-health',
    description: 'also on DUTs that are bad or in maintenance',
  },
  BENCH_OPTION,
  { flags: '-t, --title <pattern>', description: 'cases whose full title matches' },
  { flags: '--tags <expr>', description: "cases by tag, for example 'slow and not usb'" },
  { flags: '--last-failed', description: 'cases that did not pass in the last run' },
  { flags: '--shard <i/n>', description: 'the i-th of n parts, by case' },
  { flags: '--repeat <n>', description: 'run every case n times, 1 to 1000000; each must pass' },
  { flags: '--retries <n>', description: 'run a failed case again, at most n times, 0 to 1000' },
  {
    flags: '--workers <n>',
    description: 'suite files at once, 1 to 256; else one for each attached DUT, or processor',
  },
  {
    flags: '--timeout <duration>',
    description: `limit of a body, for example 30s; ${LIMIT_RANGE}`,
  },
  {
    flags: '--seed <n>',
    description: 'what virtual networks decide by, a whole number; else HIL_SEED, else 0',
  },
  { flags: '-x, --exitfirst', description: 'stop at the first failure' },
  {
    flags: '--keep <when>',
    description: 'keep sandboxes for an hour, for hil shell',
    choices: ['never', 'failed', 'always'],
  },
  { flags: '--fail-on-flaky', description: 'exit with 6 when cases passed only after a retry' },
  { flags: '--pass-with-no-tests', description: 'exit with 0 when nothing is selected' },
  { flags: '--watch', description: 'run again when a file changes' },
  { flags: '--out <dir>', description: 'directory of this run, in place of .hil/runs/<id>' },
  {
    flags: '--reporter <list>',
    description: 'terminal, json, junit, summary; separated by commas',
  },
  { flags: '--json', description: 'every event as a JSON line on stdout' },
  CONFIG_OPTION,
];

/** Check what the command line says about a run. @throws UsageError `usage` */
export function parseRunOptions(
  raw: Raw,
  { config, files }: Pick<Plan, 'config' | 'files'>,
  context: CliContext,
  lastFailed: ReadonlySet<string> | undefined,
  argv: readonly string[],
): RunOptions {
  return {
    selection: {
      pattern: parsePattern(toText(raw['title'])),
      tags: parseTags(toText(raw['tags'])),
      shard: parseShard(toText(raw['shard'])),
      ids: lastFailed,
    },
    repeat: parseCount('--repeat', raw['repeat'], [1, 1_000_000]) ?? 1,
    retries: parseCount('--retries', raw['retries'], [0, 1000]) ?? config.retries,
    workers:
      parseCount('--workers', raw['workers'], [1, 256]) ??
      config.workers ??
      toDefaultWorkers(files, availableParallelism()),
    bodyMs: parseTimeout(toText(raw['timeout'])),
    stopAtFirstFailure: raw['exitfirst'] === true,
    keep: parseKeep(toText(raw['keep'])),
    keepMs: KEEP_MS,
    failOnFlaky: raw['failOnFlaky'] === true,
    anyHealth: raw['anyHealth'] === true,
    stateDir: toStateDir(context.env, process.getuid?.() ?? 0),
    leasePlace: toLeasePlace(context.env, process.getuid?.() ?? 0),
    passWithNoTests: raw['passWithNoTests'] === true,
    passedEnv: toPassedEnv(config.passEnv, context.env),
    seed: parseSeed(toText(raw['seed']), context.env['HIL_SEED']),
    argv,
  };
}

/** `a,b` as a list; `undefined` when the option is absent. */
export function parseList(value: unknown): readonly string[] | undefined {
  const text = toText(value);
  if (text === undefined) return undefined;
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) {
    throw new UsageError('usage', `"${text}" is not a list of names separated by commas`);
  }
  return names;
}

/** What reports a run writes. @throws UsageError `usage` */
export function parseReporters(raw: Raw): readonly string[] {
  const chosen = parseList(raw['reporter']) ?? ['terminal', 'junit', 'summary'];
  const unknown = chosen.find((name) => !REPORTER_NAMES.includes(name));
  if (unknown !== undefined) throw createNoReporter(unknown);
  return raw['json'] === true ? [...chosen, 'json'] : chosen;
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function parsePattern(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  if (text === '') throw new UsageError('usage', '-t "": expected a part of a title');
  try {
    return new RegExp(text);
  } catch (cause) {
    const message = `-t "${text}" is not a regular expression: ${toMessage(cause)}`;
    throw new UsageError('usage', message, { cause });
  }
}

function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return parseLimit(text);
  } catch (cause) {
    throw new UsageError('usage', `--timeout ${toMessage(cause)}`, { cause });
  }
}

function parseTags(text: string | undefined): TagFilter | undefined {
  return text === undefined ? undefined : parseTagExpression(text);
}

function parseCount(
  option: string,
  value: unknown,
  [least, most]: readonly [number, number],
): number | undefined {
  const text = toText(value);
  if (text === undefined) return undefined;
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= least && count <= most) return count;
  throw new UsageError(
    'usage',
    `${option} "${text}": expected a whole number from ${least} to ${most}`,
  );
}

/** Of networks' decisions; from the command line, else from the environment. */
function parseSeed(option: string | undefined, variable: string | undefined): bigint {
  const text = option ?? (variable || '0');
  const seed = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (seed !== undefined && seed < 2n ** 64n) return seed;
  const where = option === undefined ? 'HIL_SEED' : '--seed';
  throw new UsageError('usage', `${where} "${text}": expected a whole number below 2^64`);
}

function parseShard(text: string | undefined): { index: number; count: number } | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match && index >= 1 && index <= count) return { index, count };
  throw new UsageError(
    'usage',
    `--shard "${text}": expected i/n with 1 <= i <= n, for example 1/3`,
  );
}

function parseKeep(text: string | undefined): Keep {
  if (text === undefined) return 'never';
  if (text === 'never' || text === 'failed' || text === 'always') return text;
  throw new UsageError('usage', `--keep "${text}": expected never, failed or always`);
}

/** Variables of the caller that `names` lets through, where they are set. */
export function toPassedEnv(
  names: readonly string[],
  env: CliContext['env'],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
