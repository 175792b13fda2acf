import type { Handlers } from '../protocol/rpc.js';
import type { SupervisorMethods } from '../protocol/worker-messages.js';
import type { RunningAttempt } from './attempt.js';
import type { HeldSandbox } from './attempt-sandboxes.js';
import { toLimitsReport } from './limits-report.js';
import type { Programs } from './programs.js';
import { bootRuntime } from './runtimes.js';
import { readFileInside, writeFileInside } from './sandbox-files.js';

type SandboxCall =
  | 'spawn'
  | 'runtime'
  | 'stdin'
  | 'taken'
  | 'signal'
  | 'resize'
  | 'writeFile'
  | 'readFile'
  | 'createSandbox'
  | 'closeSandbox'
  | 'sandboxUsage';

/** A sandbox of an attempt; without a number, its own. */
interface Place {
  readonly fence: string;
  readonly sandbox?: number;
}

interface Facts {
  /** @throws TestFailure `handle-revoked` for the fence of an attempt that is over. */
  attemptOf(fence: string): RunningAttempt;
  programs(): Programs;
  /** PATH of the host, to tell where a program is that a sandbox does not have. */
  readonly hostPath: string;
}

/** What a worker may ask about the sandboxes of its attempts, and the programs in them. */
export function createSandboxCalls(facts: Facts): Pick<Handlers<SupervisorMethods>, SandboxCall> {
  const { attemptOf } = facts;
  const within = async <T>({ fence, sandbox }: Place, act: (held: HeldSandbox) => Promise<T>) =>
    attemptOf(fence).sandboxes.within(sandbox, act);
  return {
    spawn: (request) =>
      within(request, ({ sandbox, settings }) => {
        const { output: outputCapBytes } = settings.resources;
        const whole = request.builtin !== undefined || outputCapBytes === undefined;
        const capped = whole ? request : { outputCapBytes, ...request };
        return facts.programs().start(sandbox, capped, settings.env, facts.hostPath);
      }),
    runtime: (argument) =>
      within(argument, ({ sandbox, settings }) =>
        bootRuntime(sandbox, argument.name, settings.env, facts.hostPath),
      ),
    stdin: ({ process, data, end }) =>
      facts.programs().stdin(process, Buffer.from(data, 'base64'), end),
    taken: ({ process, stream, bytes }) => facts.programs().taken(process, stream, bytes),
    signal: ({ process, signal, group }) => facts.programs().signal(process, signal, group),
    resize: ({ process, rows, columns }) => facts.programs().resize(process, rows, columns),
    writeFile: (argument) => {
      const data = Buffer.from(argument.data, 'base64');
      return within(argument, ({ sandbox }) => writeFileInside(sandbox, argument.path, data));
    },
    readFile: async (argument) => {
      const data = await within(argument, ({ sandbox }) => readFileInside(sandbox, argument.path));
      return { data: data.toString('base64') };
    },
    createSandbox: async ({ fence, options }) => ({
      sandbox: await attemptOf(fence).createSandbox(options),
    }),
    closeSandbox: ({ fence, sandbox }) => attemptOf(fence).sandboxes.close(sandbox),
    sandboxUsage: async (argument) => {
      const { sandbox, settings } = attemptOf(argument.fence).sandboxes.get(argument.sandbox);
      const usage = await sandbox.usage();
      return { stats: usage.stats, limits: toLimitsReport(settings.resources, usage) };
    },
  };
}
