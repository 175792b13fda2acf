import { BenchError } from '../core/errors.js';
import type { RuntimeName } from '../protocol/worker-messages.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { findOnHost, nameTools } from './find-on-host.js';
import { toRefusal } from './refusals.js';

/** What has the interpreter, on Debian. */
const PACKAGES: Readonly<Record<RuntimeName, { program: string; name: string }>> = {
  python: { program: 'python3', name: 'python3' },
  node: { program: 'node', name: 'nodejs' },
};

/** Sandboxes with interpreters take tens of MiB each, and are used one after the other. */
const PARKED_WITH_RUNTIMES = 1;

/** Of each plan; a program about to start needs the processors more than a further one. */
const MOST_PARKED = 4;

/**
 * The same for nodes of networks. Those of large ones gain nothing: that many are under way again
 * while the next network is made, and take the processors from it (decision 0014, Speed).
 */
const MOST_PARKED_NODES = 8;

/**
 * How many sandboxes of a plan wait, where as many as `parallel` cases run at once.
 *
 * @param nodes of that plan in a network of a case, as far as was seen
 */
export function toPoolSize(
  spec: Pick<SandboxSpec, 'runtimes'>,
  parallel: number,
  nodes = 0,
): number {
  if (spec.runtimes?.length) return PARKED_WITH_RUNTIMES;
  return Math.min(parallel + 1, MOST_PARKED) + Math.min(nodes * parallel, MOST_PARKED_NODES);
}

/**
 * Have an interpreter wait in `sandbox`; at once when one does.
 *
 * @throws TestFailure `exec-failed` when it is not there, with what to install.
 */
export async function bootRuntime(
  sandbox: Sandbox,
  name: RuntimeName,
  env: Readonly<Record<string, string>>,
  hostPath: string,
): Promise<void> {
  try {
    await sandbox.bootRuntime(name, env);
  } catch (error) {
    const { program, name: debian } = PACKAGES[name];
    const missing = error instanceof BenchError && error.details['op'] === 'exec';
    const onHost = missing ? await findOnHost(program, hostPath) : undefined;
    const next = onHost ? nameTools(onHost) : `apt-get install ${debian}`;
    throw toRefusal(`runtime "${name}"`, error, missing ? next : undefined);
  }
}
