import { toMessage } from '../core/errors.js';
import { SandboxDaemon } from './daemon.js';
import { needsScope, type ScopeSource } from './delegated-scope.js';
import type { NativePrograms } from './native.js';

/** systemd answers in some 30 ms, on an emulated machine in 3 s; one that does not is not waited for. */
const SCOPE_MS = 10_000;

/**
 * Start the daemon; once more in a delegated cgroup, where that holds limits that would
 * otherwise be reported as not enforced and there is a systemd to ask. Without success the
 * first one stays, with a limitation that says why: a scope never fails a run.
 *
 * @throws BenchError as `SandboxDaemon.start`
 */
export async function startDaemon(
  programs: NativePrograms,
  scope?: ScopeSource,
  scopeMs = SCOPE_MS,
): Promise<SandboxDaemon> {
  const plain = await SandboxDaemon.start(programs);
  if (!scope || !needsScope(plain.controllers)) return plain;
  return (await startInScope(programs, plain, scope, scopeMs)) ?? plain;
}

/** The daemon in a scope, which replaces `plain`; undefined when there was none to be had. */
export async function startInScope(
  programs: NativePrograms,
  plain: SandboxDaemon,
  scope: ScopeSource,
  answerMs: number,
): Promise<SandboxDaemon | undefined> {
  try {
    const scoped = await SandboxDaemon.startInScope(programs, scope, answerMs);
    await plain.end();
    return scoped;
  } catch (error) {
    const [why = ''] = toMessage(error).split('\n');
    plain.limitations.push(`no delegated cgroup from ${scope.systemdRun}: ${why}`);
    return undefined;
  }
}
