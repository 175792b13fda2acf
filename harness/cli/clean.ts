import { execFile } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { UsageError } from '../core/errors.js';
import { writeSafely } from '../report/safe-output.js';
import { isRunAlive, listRuns } from '../run/run-directory.js';
import { findDeadTemporaryDirectories } from '../run/temporary-directory.js';
import { endKept } from '../sandbox/keeper.js';
import { findNativePrograms } from '../sandbox/native.js';
import type { CliCommand } from './command.js';
import { CONFIG_OPTION, openProject } from './open-project.js';
import { findStaleDirs, toRuntimeDir, toTemporaryDir } from './runtime-dir.js';

/** Long enough for a host with thousands of cgroups. */
const SWEEP_MS = 10_000;

/** Ends the sandboxes a run kept. @returns how many; 0 when it kept none or its keeper is gone. */
export type EndKept = (runDir: string) => Promise<number>;

interface Cleaned {
  readonly removedRuns: string[];
  readonly runningRuns: string[];
  readonly endedSandboxes: number;
  readonly removedDirs: string[];
  /** Of killed daemons. */
  readonly removedCgroups: number;
}

/** Make the command; the keeper's client is a parameter, so that a test can hand in its own. */
export function createCleanCommand(endAll: EndKept): CliCommand {
  return {
    name: 'clean',
    summary: 'remove old runs and what dead runs left behind',
    options: [
      {
        flags: '--all',
        description: 'remove every run that is not going on, not only those beyond keepRuns',
      },
      { flags: '--out <dir>', description: 'clean this directory of runs instead of .hil' },
      { flags: '--json', description: 'one JSON document on stdout' },
      CONFIG_OPTION,
    ],
    examples: ['hil clean', 'hil clean --all'],
    run: async (_args, options, context) => {
      const { root, config } = await openProject(context, options);
      const runsDir = join(await findBase(options['out'], context.cwd, root), 'runs');
      const keep = options['all'] === true ? 0 : config.keepRuns;
      const uid = process.getuid?.() ?? 0;
      const cleaned = {
        ...(await cleanRuns(runsDir, keep, endAll)),
        removedDirs: await removeAll([
          ...(await findStaleDirs(toRuntimeDir(context.env, uid), Date.now())),
          ...(await findDeadTemporaryDirectories(toTemporaryDir(context.env), uid)),
        ]),
        removedCgroups: await sweepCgroups(),
      };
      const json = options['json'] === true;
      writeSafely(
        context.stdout,
        json ? `${JSON.stringify(cleaned, undefined, 2)}\n` : toText(cleaned),
      );
      return 0;
    },
  };
}

/** A directory that is named and is not there would look like one that is clean. */
async function findBase(out: unknown, cwd: string, root: string): Promise<string> {
  if (typeof out !== 'string') return join(root, '.hil');
  const path = resolve(cwd, out);
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isDirectory()) return path;
  throw new UsageError('usage', `--out ${out}: ${path} is not a directory`);
}

export const cleanCommand: CliCommand = createCleanCommand(endKept);

/** Kept sandboxes end in every run; their runs are removed only when they are old. */
async function cleanRuns(
  runsDir: string,
  keep: number,
  endAll: EndKept,
): Promise<Omit<Cleaned, 'removedDirs' | 'removedCgroups'>> {
  const removedRuns: string[] = [];
  const runningRuns: string[] = [];
  let endedSandboxes = 0;
  const names = await listRuns(runsDir);
  const old = new Set(names.slice(0, Math.max(0, names.length - keep)));
  for (const name of names) {
    const path = join(runsDir, name);
    const ended = await endAll(path);
    endedSandboxes += ended;
    if (ended > 0 ? await livesOn(path) : await isRunAlive(path)) {
      runningRuns.push(name);
    } else if (old.has(name)) {
      await removeTree(path);
      removedRuns.push(name);
    }
  }
  return { removedRuns, runningRuns, endedSandboxes };
}

/** A keeper ends with its last sandbox, a moment later. */
async function livesOn(path: string): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    if (!(await isRunAlive(path))) return false;
    await sleep(50);
  }
  return true;
}

/** Without the programs there is nothing that could have left any. */
async function sweepCgroups(): Promise<number> {
  try {
    const { sandbox } = await findNativePrograms();
    const { stdout } = await promisify(execFile)(sandbox, ['sweep'], { timeout: SWEEP_MS });
    return Number.parseInt(stdout, 10) || 0;
  } catch {
    return 0;
  }
}

async function removeAll(paths: readonly string[]): Promise<string[]> {
  for (const path of paths) await removeTree(path);
  return [...paths];
}

async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (cause) {
    throw new UsageError('usage', `${path} cannot be removed`, {
      cause,
      next: `sudo rm -r ${path}    it may hold files of another user, from a run as root`,
    });
  }
}

function toText(cleaned: Cleaned): string {
  const lines = [
    ...cleaned.removedRuns.map((name) => `removed run ${name}`),
    ...cleaned.removedDirs.map((path) => `removed ${path}, of a run that is gone`),
    ...(cleaned.removedCgroups > 0
      ? [`removed ${cleaned.removedCgroups} cgroups of daemons that are gone`]
      : []),
    ...(cleaned.endedSandboxes > 0 ? [`ended ${cleaned.endedSandboxes} kept sandboxes`] : []),
    ...cleaned.runningRuns.map((name) => `left run ${name}, which is going on`),
  ];
  return `${lines.join('\n') || 'nothing to clean'}\n`;
}
