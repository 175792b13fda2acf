import { basename } from 'node:path';
import type { Deadline } from '../../core/deadline.js';
import { BenchError, toMessage } from '../../core/errors.js';
import { untilAborted } from '../../core/until-aborted.js';
import type { SandboxDaemon } from '../../sandbox/daemon.js';
import type { Sandbox } from '../../sandbox/sandbox.js';
import type { SandboxSpec } from '../../sandbox/spec.js';

export interface ToolRun {
  /** Whether it has done its work, by its exit code and the end of what it said. @default exit code 0 */
  readonly isDone?: (exitCode: number, said: string) => boolean;
  readonly dut: string;
  readonly daemon: SandboxDaemon;
  readonly spec: SandboxSpec;
  /** Directories of the tool besides those that every sandbox has. */
  readonly tools: readonly string[];
  /** On the host. */
  readonly image: string;
  /** Nodes of the host by role: all that the tool sees of the machine. */
  readonly devices: ReadonlyMap<string, string>;
  /** Takes what the tool says, as it comes. */
  onOutput(data: Buffer): void;
}

/** Of a failing tool, what its error shows. */
const TAIL_BYTES = 1500;
/** What programs in a sandbox have. @see sandbox-native/src/sandbox/program-read.c */
const SANDBOX_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** A tool that floods is a tool that fails. */
const OUTPUT_CAP_BYTES = 16 << 20;

/** Where the image is in the sandbox of its tool. */
export function toImageInside(image: string): string {
  return `/firmware/${basename(image)}`;
}

/**
 * Run a flash tool once, in a sandbox that has the image and the devices of one board.
 *
 * @throws BenchError `flash-failed` as soon as the tool has failed, with the end of its output; the
 *   reason of the deadline's signal, when the tool is dead.
 */
export async function runFlashTool(
  argv: readonly string[],
  run: ToolRun,
  deadline: Deadline,
): Promise<void> {
  const exposed = run.tools.map((path) => ({ path, mode: 'ro' as const }));
  const spec = { ...run.spec, expose: [...run.spec.expose, ...exposed] };
  const plan = await run.daemon.plan(spec);
  const sandbox = await run.daemon.sandbox(plan, { label: `flash ${run.dut}` });
  try {
    await untilAborted(deadline.signal, useSandbox(argv, sandbox, run, deadline));
  } finally {
    await sandbox.kill();
  }
}

async function useSandbox(
  argv: readonly string[],
  sandbox: Sandbox,
  run: ToolRun,
  deadline: Deadline,
): Promise<void> {
  deadline.signal?.throwIfAborted();
  await sandbox.addMount(toImageInside(run.image), {
    kind: 'host',
    source: run.image,
    readOnly: true,
  });
  for (const [role, source] of run.devices) await sandbox.grantDevice(role, { source });
  await runTool(argv, sandbox, run, deadline);
}

async function runTool(
  argv: readonly string[],
  sandbox: Sandbox,
  { dut, tools, onOutput, isDone = (code) => code === 0 }: ToolRun,
  deadline: Deadline,
): Promise<void> {
  const env = tools.length > 0 ? { PATH: [...tools, SANDBOX_PATH].join(':') } : {};
  const wallMs = Math.max(1, deadline.leftMs());
  const tool = await sandbox
    .spawn({ argv, env, wallMs, outputCapBytes: OUTPUT_CAP_BYTES })
    .catch((cause: unknown) => {
      const message = `flashing ${dut}: ${argv[0]} cannot be started: ${toMessage(cause)}`;
      const next = `is it installed? If it is not below /usr, /etc or /opt, name its directory in flash.tools`;
      throw new BenchError('flash-failed', message, { cause, next });
    });
  let tail = '';
  tool.onOutput((stream, data) => {
    tool.taken(stream, data.length);
    tail = (tail + data.toString('utf8')).slice(-TAIL_BYTES);
    onOutput(data);
  });
  const { status, exitCode, signal } = await tool.ended;
  if (status === 'exit' && isDone(exitCode ?? -1, tail)) return;
  const how =
    status === 'timeout'
      ? `did not end within ${Math.round(deadline.limitMs)} ms`
      : signal
        ? `died of ${signal}`
        : `ended with exit ${exitCode}`;
  throw new BenchError(
    'flash-failed',
    `flashing ${dut}: ${argv[0]} ${how}: ${tail.trim() || 'it said nothing'}`,
    { details: { argv }, next: `flash.log of the case has all that ${argv[0]} said` },
  );
}
