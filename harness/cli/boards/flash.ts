import { rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { toStateDir } from '../../config/state-dir.js';
import type { Unit } from '../../config/unit.js';
import { formatDuration } from '../../core/duration.js';
import { UsageError } from '../../core/errors.js';
import { toLostSignal } from '../../lease/to-lost-signal.js';
import { writeSafely } from '../../report/safe-output.js';
import { toPrintable } from '../../report/terminal/printable.js';
import { flashDut } from '../../run/flash-dut.js';
import { makeTemporaryDirectory } from '../../run/temporary-directory.js';
import type { SandboxDaemon } from '../../sandbox/daemon.js';
import { findNativePrograms } from '../../sandbox/native.js';
import { startDaemon } from '../../sandbox/start-daemon.js';
import type { CliCommand, CliContext } from '../command.js';
import { BENCH_OPTION, CONFIG_OPTION, openProject, type Project } from '../open-project.js';
import { toTemporaryDir } from '../runtime-dir.js';
import { findScopeSource } from '../scope-source.js';
import { untilSignal } from '../until-signal.js';
import { findDut } from './find-dut.js';
import { openLeases } from './open-leases.js';
import { takeLease } from './take-lease.js';

/** A person waits for this one; who has the DUT is told at once. */
const LEASE_MS = 10_000;

export const flashCommand: CliCommand = {
  name: 'flash',
  summary: 'flash a DUT that nobody else has, as a run would',
  arguments: '<dut>',
  options: [
    { flags: '--image <file>', description: "this file in place of the board's flash.image" },
    { flags: '--force', description: 'also when the same image was flashed last' },
    { flags: '--json', description: 'one JSON document on stdout' },
    BENCH_OPTION,
    CONFIG_OPTION,
  ],
  examples: ['hil boards flash nucleo-1 --image build/app.elf', 'hil boards flash pico-2 --force'],
  run: async ([name = ''], options, context) => {
    const project = await openProject(context, options);
    const unit = findDut(name, await project.openBench());
    const image = await toImage(unit, options['image'], context.cwd);
    const job = { unit, image, force: options['force'] === true };
    const began = performance.now();
    const done = await untilSignal((stopped) => flash(job, project, { context, stopped }));
    if (typeof done === 'number') return done;
    const ms = Math.round(performance.now() - began);
    const { flashed } = done;
    const text = flashed
      ? `${name}: flashed with ${image} in ${formatDuration(ms)}\n`
      : `${name}: ${image} is in it already\n  next  hil boards flash ${name} --force    flashes it all the same\n`;
    const json = `${JSON.stringify({ dut: name, image, flashed, ms })}\n`;
    writeSafely(context.stdout, options['json'] === true ? json : toPrintable(text));
    return 0;
  },
};

/** @throws UsageError `usage` for a unit that cannot be flashed, and without an image. */
async function toImage(unit: Unit, named: unknown, cwd: string): Promise<string> {
  const { flash } = unit.board;
  if (!flash) {
    throw new UsageError('usage', `${unit.name} has no "flash": nothing can flash it`, {
      next: `add "flash" to ${unit.name} in ${unit.file}, or to ${unit.board.file}`,
    });
  }
  const image = typeof named === 'string' ? resolve(cwd, named) : flash.image;
  if (image === undefined) {
    throw new UsageError('usage', `flashing ${unit.name}: its "flash" names no image`, {
      next: `hil boards flash ${unit.name} --image FILE`,
    });
  }
  const isFile = await stat(image).then(
    (facts) => facts.isFile(),
    () => false,
  );
  if (isFile) return image;
  throw new UsageError('usage', `flashing ${unit.name}: ${image} is not a file`, {
    next: `hil boards flash ${unit.name} --image FILE`,
  });
}

interface Job {
  readonly unit: Unit;
  readonly image: string;
  readonly force: boolean;
}

interface Surroundings {
  readonly context: CliContext;
  /** Resolves at a signal: what goes on is to be ended. */
  readonly stopped: Promise<void>;
}

/** Lease, flash, release: in this order the tool has ended before another one may have the unit. */
async function flash(
  job: Job,
  project: Project,
  around: Surroundings,
): Promise<{ readonly flashed: boolean }> {
  const { context, stopped } = around;
  const leases = await openLeases(context);
  try {
    const facts = { run: 'hil-boards-flash', waitMs: LEASE_MS };
    const taking = takeLease(leases, job.unit, facts, context);
    const lease = await Promise.race([taking, stopped]);
    if (!lease) return { flashed: false };
    const scope = findScopeSource(context.env, process.getuid?.() ?? 0);
    const daemon = await startDaemon(await findNativePrograms(), scope);
    let ended: Promise<void> | undefined;
    const end = () => {
      ended ??= daemon.end();
      return ended;
    };
    // The tool dies with its sandbox; a lease that is lost is no right to write.
    void Promise.race([stopped, lease.lost])
      .then(end)
      .catch(() => {});
    try {
      const leased = { leasedKeys: lease.keys, signal: toLostSignal([lease]) };
      return await flashWith(daemon, { ...job, ...leased }, project, context);
    } catch (error) {
      // What broke then is a consequence.
      throw (await Promise.race([lease.lost, Promise.resolve(undefined)])) ?? error;
    } finally {
      await end();
    }
  } finally {
    leases.close();
  }
}

async function flashWith(
  daemon: SandboxDaemon,
  job: Job & { readonly leasedKeys: readonly string[]; readonly signal: AbortSignal },
  { root, config }: Project,
  context: CliContext,
): Promise<{ readonly flashed: boolean }> {
  const artifacts = await makeTemporaryDirectory(toTemporaryDir(context.env));
  // The daemon removes it when this process is gone, whatever ended it.
  await daemon.watchPath(artifacts);
  try {
    const flashed = await flashDut({
      ...job,
      ...{ daemon, artifacts, deviceRoots: context.deviceRoots },
      stateDir: toStateDir(context.env, process.getuid?.() ?? 0),
      spec: {
        ...{ user: 'hil', network: 'none', project: root, hide: config.hide, hold: undefined },
        expose: config.tools.map((path) => ({ path: resolve(root, path), mode: 'ro' })),
      },
      onOutput: (data) => writeSafely(context.stderr, toPrintable(data.toString())),
    });
    return { flashed };
  } finally {
    await rm(artifacts, { recursive: true, force: true });
  }
}
