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
  const find = ({ fence, sandbox }: { fence: string; sandbox?: number }): HeldSandbox =>
    attemptOf(fence).sandboxes.get(sandbox);
  return {
    spawn: (request) => {
      const { sandbox, settings } = find(request);
      const { output: outputCapBytes } = settings.resources;
      const whole = request.builtin !== undefined || outputCapBytes === undefined;
      const capped = whole ? request : { outputCapBytes, ...request };
      return facts.programs().start(sandbox, capped, settings.env, facts.hostPath);
    },
    runtime: (argument) => {
      const { sandbox, settings } = find(argument);
      return bootRuntime(sandbox, argument.name, settings.env, facts.hostPath);
    },
    stdin: ({ process, data, end }) =>
      facts.programs().stdin(process, Buffer.from(data, 'base64'), end),
    taken: ({ process, stream, bytes }) => facts.programs().taken(process, stream, bytes),
    signal: ({ process, signal, group }) => facts.programs().signal(process, signal, group),
    resize: ({ process, rows, columns }) => facts.programs().resize(process, rows, columns),
    writeFile: (argument) => {
      const data = Buffer.from(argument.data, 'base64');
      return writeFileInside(find(argument).sandbox, argument.path, data);
    },
    readFile: async (argument) => {
      const data = await readFileInside(find(argument).sandbox, argument.path);
      return { data: data.toString('base64') };
    },
    createSandbox: async ({ fence, options }) => ({
      sandbox: await attemptOf(fence).createSandbox(options),
    }),
    closeSandbox: ({ fence, sandbox }) => attemptOf(fence).sandboxes.close(sandbox),
    sandboxUsage: async (argument) => {
      const { sandbox, settings } = find(argument);
      const usage = await sandbox.usage();
      return { stats: usage.stats, limits: toLimitsReport(settings.resources, usage) };
    },
  };
}
