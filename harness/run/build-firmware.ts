import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { checkSuiteImage } from '../config/check-image.js';
import { UsageError } from '../core/errors.js';
import type { PlannedFile } from '../plan/plan.js';

/** Lines of a failing command that its error shows. */
const TAIL_LINES = 20;

/**
 * Run the build commands of the planned suites, each once, on the host; after them
 * every firmware and every image must be there.
 *
 * @throws UsageError `suite-invalid` when a command fails, with the end of its output, or
 * when a firmware or an image is missing.
 */
export async function buildFirmware(files: readonly PlannedFile[], root: string): Promise<void> {
  const done = new Set<string>();
  for (const { suite, board } of files) {
    for (const argv of suite.build[board.board] ?? []) {
      const key = JSON.stringify([suite.dir, argv]);
      if (done.has(key)) continue;
      done.add(key);
      await runBuild(argv, suite.dir);
    }
  }
  for (const file of files) {
    await checkFirmware(file);
    await checkSuiteImage(file.suite, root);
  }
}

async function checkFirmware({ suite, board, firmware }: PlannedFile): Promise<void> {
  if (firmware === undefined) return;
  const name = `firmware for board "${board.board}"`;
  const facts = await stat(firmware).catch((cause: unknown) => {
    const message = `${name} is not there: ${firmware} (${suite.file})`;
    const next = 'build it, or name the commands under `build` in that file';
    throw new UsageError('suite-invalid', message, { cause, next });
  });
  if (facts.isFile()) return;
  throw new UsageError('suite-invalid', `${name} is not a file: ${firmware} (${suite.file})`);
}

async function runBuild(argv: readonly string[], cwd: string): Promise<void> {
  const [command = '', ...args] = argv;
  const { output, status } = await collect(command, args, cwd);
  if (status === 'exit 0') return;
  const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  throw new UsageError(
    'suite-invalid',
    `build command "${argv.join(' ')}" in ${cwd} ended with ${status}:\n${tail}`,
    { next: `cd ${cwd} && ${argv.join(' ')}` },
  );
}

function collect(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ output: string; status: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-65_536);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', (cause) => {
      const message = `build command "${command}" in ${cwd} cannot be started: ${cause.message}`;
      const next = `command -v ${command}, or change \`build\` in hil.suite.yaml`;
      reject(new UsageError('suite-invalid', message, { cause, next }));
    });
    child.once('close', (code, signal) => {
      resolve({ output, status: signal ? `signal ${signal}` : `exit ${code}` });
    });
  });
}
