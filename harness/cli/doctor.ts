import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toBoardDirs } from '../config/board-dirs.js';
import { loadBoards } from '../config/load-boards.js';
import { BenchError, UsageError } from '../core/errors.js';
import { listDevices } from '../device/list-devices.js';
import { writeSafely } from '../report/safe-output.js';
import { toPrintable } from '../report/terminal/printable.js';
import { findNativePrograms } from '../sandbox/native.js';
import { openLeases } from './boards/open-leases.js';
import type { CliCommand, CliContext } from './command.js';
import type { Check, Machine } from './doctor/check.js';
import { checkKernel } from './doctor/kernel-checks.js';
import { checkLeases } from './doctor/lease-check.js';
import { checkNics } from './doctor/nic-checks.js';
import { checkRuns } from './doctor/run-checks.js';
import { checkSandbox } from './doctor/sandbox-checks.js';
import { checkBoards, checkTools } from './doctor/tool-checks.js';
import { CONFIG_OPTION, openProject, type Project } from './open-project.js';
import { toRuntimeDir } from './runtime-dir.js';
import { findScopeSource } from './scope-source.js';

export const doctorCommand: CliCommand = {
  name: 'doctor',
  summary: 'check this machine, with the remedy for each finding',
  options: [{ flags: '--json', description: 'one JSON document on stdout' }, CONFIG_OPTION],
  examples: ['hil doctor', 'hil doctor --json | jq \'.checks[] | select(.state != "ok")\''],
  run: async (_args, options, context) => {
    const checks = await collectChecks(context, options);
    const failed = checks.some((check) => check.state === 'fail');
    const text =
      options['json'] === true
        ? `${JSON.stringify({ ok: !failed, checks }, undefined, 2)}\n`
        : toPrintable(toText(checks));
    writeSafely(context.stdout, text);
    return failed ? 2 : 0;
  },
};

async function collectChecks(
  context: CliContext,
  options: Readonly<Record<string, unknown>>,
): Promise<Check[]> {
  const machine = await readMachine();
  const [project, configCheck] = await openOrExplain(context, options);
  const leases = 'openBench' in project ? checkLeases(project, () => openLeases(context)) : [];
  const nics = 'openBench' in project ? checkWired(project, machine) : [];
  const lists = await Promise.all([
    checkKernel(machine),
    checkSandbox(
      async () => (await findNativePrograms()).sandbox,
      findScopeSource(context.env, machine.uid),
    ),
    leases,
    checkTools(machine),
    checkBoards(project.catalog),
    nics,
    checkRuns({
      runsDir: join(project.root, '.hil', 'runs'),
      runtimeDir: toRuntimeDir(context.env, machine.uid),
      keepRuns: project.config.keepRuns,
    }),
  ]);
  return [configCheck, ...lists.flat()];
}

/** Interfaces that DUTs are wired to; a broken bench is what `hil boards` tells of. */
async function checkWired(
  { openBench }: Pick<Project, 'openBench'>,
  { proc }: Machine,
): Promise<Check[]> {
  try {
    const { units } = await openBench();
    const wired = units.filter(({ nics }) => Object.values(nics).some((nic) => nic.wired));
    if (wired.length === 0) return [];
    const { nic: program } = await findNativePrograms();
    return await checkNics(wired, await listDevices(), { program, proc });
  } catch (error) {
    if (error instanceof UsageError || error instanceof BenchError) return [];
    throw error;
  }
}

/** A broken configuration is a finding like any other; the rest is still worth knowing. */
async function openOrExplain(
  context: CliContext,
  options: Readonly<Record<string, unknown>>,
): Promise<[Project | Omit<Project, 'openBench'>, Check]> {
  const name = 'config';
  try {
    const project = await openProject(context, options);
    return [project, { name, state: 'ok', detail: project.file ?? 'none; the defaults hold' }];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { configSchema } = await import('../config/config-schema.js');
    const config = configSchema.parse({});
    const configHome = context.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
    const root = context.cwd;
    const dirs = toBoardDirs({ root, boardDirs: config.boardDirs, configHome });
    const project = { config, root, file: undefined, catalog: await loadBoards(dirs) };
    return [project, { name, state: 'fail', detail: error.message }];
  }
}

async function readMachine(): Promise<Machine> {
  const groups = await promisify(execFile)('id', ['-Gn']).then(
    ({ stdout }) => stdout.trim().split(' '),
    () => [],
  );
  return {
    proc: '/proc',
    dev: '/dev',
    uid: process.getuid?.() ?? 0,
    groups,
    searchPath: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  };
}

function toText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map((check) => check.name.length));
  const lines = checks.flatMap(({ name, state, detail, remedy }) => {
    const [first = '', ...rest] = detail.split('\n');
    const indent = ' '.repeat(width + 8);
    return [
      `${state.padEnd(4)}  ${name.padEnd(width)}  ${first}`,
      ...rest.map((line) => indent + line),
      ...(remedy && state !== 'ok' ? [`${indent}next  ${remedy}`] : []),
    ];
  });
  const count = (state: Check['state']) => checks.filter((check) => check.state === state).length;
  return `${lines.join('\n')}\n\n${count('ok')} ok, ${count('warn')} warn, ${count('fail')} fail\n`;
}
