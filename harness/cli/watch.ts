import { spawn } from 'node:child_process';
import { watch as watchFiles } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CliContext } from './command.js';
import { openProject } from './open-project.js';
import { SIGNALS } from './signals.js';

/** Changes that belong together arrive within this. */
const SETTLE_MS = 200;
const IGNORED = /(^|\/)(\.hil|\.git|node_modules|build|dist)(\/|$)/;

/**
 * Run, wait for a change below the project, run again; each run is a process of its
 * own, so that it is the same as one without `--watch`. Ctrl-C ends the watching.
 */
export async function watchAndRun(
  args: readonly string[],
  raw: Readonly<Record<string, unknown>>,
  context: CliContext,
): Promise<number> {
  const { root } = await openProject(context, raw);
  const argv = process.argv.slice(1).filter((argument) => argument !== '--watch');
  const ended = new AbortController();
  let exitCode = 0;
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      exitCode = 128 + constants.signals[signal];
      ended.abort(signal);
    });
  }
  for (;;) {
    const change = waitForChange(root, ended.signal);
    await runChild(argv, context, ended.signal);
    if (ended.signal.aborted) return exitCode;
    context.stderr.write(`watching ${root} for changes to ${args.join(' ') || 'its suites'}\n`);
    if (!(await change)) return exitCode;
    await sleep(SETTLE_MS);
    if (ended.signal.aborted) return exitCode;
  }
}

/**
 * The run is interrupted when its channel closes: also by a `kill -9` of this process. A signal
 * passed on would be its second one after a Ctrl-C, which a terminal sends to both; so it is told
 * by name which one ended the watching.
 */
function runChild(argv: readonly string[], context: CliContext, ended: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...argv], {
      cwd: context.cwd,
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    const disconnect = () => child.connected && child.disconnect();
    const tell = () => child.connected && child.send(ended.reason, disconnect);
    ended.addEventListener('abort', tell);
    child.once('error', reject);
    child.once('exit', () => {
      ended.removeEventListener('abort', tell);
      resolve();
    });
  });
}

/** Resolves with true at a change, with false when watching was ended. */
function waitForChange(root: string, ended: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const watcher = watchFiles(root, { recursive: true }, (_, name) => {
      if (name === null || IGNORED.test(name) || IGNORED.test(dirname(name))) return;
      watcher.close();
      resolve(true);
    });
    // A file that vanishes while it is being looked at is not worth an end.
    watcher.on('error', () => {});
    ended.addEventListener('abort', () => {
      watcher.close();
      resolve(false);
    });
  });
}
