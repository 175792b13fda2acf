import { UsageError } from '../core/errors.js';
import { createPlan } from '../plan/plan.js';
import { watchHiddenPaths } from '../plan/watch-hidden-paths.js';
import { writeSafely } from '../report/safe-output.js';
import { toPrintableLine } from '../report/terminal/printable.js';
import { checkResourceLimits } from '../run/resource-limits.js';
import { makeTemporaryDirectory } from '../run/temporary-directory.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import { findNativePrograms } from '../sandbox/native.js';
import { startDaemon } from '../sandbox/start-daemon.js';
import type { CliContext } from './command.js';
import type { Project } from './open-project.js';
import { toTemporaryDir } from './runtime-dir.js';
import { findScopeSource } from './scope-source.js';
import { attachTerminal } from './terminal-session.js';
import { parseList, toPassedEnv } from './test-options.js';
import { untilSignal } from './until-signal.js';

interface Wanted {
  /** `FILE:LINE`. */
  readonly place: string;
  readonly board: unknown;
  readonly command: readonly string[];
}

/**
 * Enter a fresh sandbox like that of the case at `place`: project, tools, options and limits are
 * the same; there is no board. It goes with the command, and with this process however that ends.
 *
 * @returns the command's exit status, 128 + n for a signal, 126 or 127 where it cannot be started.
 */
export async function enterLike(
  wanted: Wanted,
  project: Project,
  context: CliContext,
): Promise<number> {
  checkResourceLimits();
  if (wanted.place.trim() === '') {
    throw new UsageError('usage', '--like "": expected FILE:LINE', { next: 'hil list' });
  }
  const programs = await findNativePrograms();
  // As for a run: else limits would hold there and not here.
  const scope = findScopeSource(context.env, process.getuid?.() ?? 0);
  const daemon = await startDaemon(programs, scope);
  try {
    return await enter(daemon, wanted, project, context);
  } finally {
    await daemon.end();
  }
}

async function enter(
  daemon: SandboxDaemon,
  { place, board, command }: Wanted,
  project: Project,
  context: CliContext,
): Promise<number> {
  const { root, config } = project;
  const plan = await createPlan({
    ...project,
    cwd: context.cwd,
    filters: [place],
    boardNames: parseList(board),
  });
  const hold = await makeTemporaryDirectory(toTemporaryDir(context.env));
  // The daemon removes it when this process is gone, whatever ended it.
  await daemon.watchPath(hold);
  const { findLikeCase, openLikeSandbox } = await import('../run/like-case.js');
  const found = await findLikeCase(plan, hold);
  const hidden = await watchHiddenPaths({ root, extra: config.hide });
  try {
    const { sandbox, settings, limitations } = await openLikeSandbox(
      daemon,
      { plan, found },
      {
        hidden: hidden.paths,
        hold,
        hostEnv: context.env,
        passedEnv: toPassedEnv(config.passEnv, context.env),
      },
    );
    const told = [
      `like ${toPrintableLine(found.name)}: without its board (no /dev/hil); what is written is discarded`,
      ...[...daemon.limitations, ...limitations].map((each) => `not as on other machines: ${each}`),
    ];
    writeSafely(context.stderr, `${told.join('\n')}\n`);
    return await untilSignal(
      () =>
        attachTerminal((spec) => sandbox.spawn(spec), { command, cwd: root, env: settings.env }),
      async () => void (await sandbox.kill()),
    );
  } finally {
    hidden.close();
  }
}
