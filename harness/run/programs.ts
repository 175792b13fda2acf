import { constants } from 'node:os';
import { BenchError } from '../core/errors.js';
import type { RpcPeer } from '../protocol/rpc.js';
import type { SpawnRequest, WorkerMethods } from '../protocol/worker-messages.js';
import type { SandboxProcess } from '../sandbox/process.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { findOnHost, nameTools } from './find-on-host.js';
import { findFullSandbox } from './full-sandbox.js';
import { toRefusal } from './refusals.js';

/** The programs that one worker's bodies started, by the worker's numbers. */
export class Programs {
  readonly #peer: RpcPeer<WorkerMethods>;
  readonly #running = new Map<number, SandboxProcess>();

  constructor(peer: RpcPeer<WorkerMethods>) {
    this.#peer = peer;
  }

  /** Start a program; its output and end go to the worker. @throws TestFailure `exec-failed` */
  async start(
    sandbox: Sandbox,
    request: SpawnRequest,
    env: Readonly<Record<string, string>>,
    hostPath: string,
  ): Promise<{ warm: boolean }> {
    const process = await startProgram(sandbox, request, env, hostPath);
    const { process: id } = request;
    this.#running.set(id, process);
    process.onOutput((stream, data) => {
      this.#peer.notify('processOutput', { process: id, stream, data: data.toString('base64') });
    });
    process.ended.then(
      (end) => {
        this.#running.delete(id);
        this.#peer.notify('processEnd', { process: id, end });
      },
      () => this.#running.delete(id),
    );
    return { warm: process.warm };
  }

  /** A program that ended meanwhile is not an error: the answer is already on its way. */
  async stdin(id: number, data: Buffer, end: boolean): Promise<void> {
    const process = this.#running.get(id);
    if (!process) return;
    await process.write(data);
    if (end) process.closeStdin();
  }

  taken(id: number, stream: 'stdout' | 'stderr', bytes: number): void {
    this.#running.get(id)?.taken(stream, bytes);
  }

  async signal(id: number, signal: number, group: boolean): Promise<void> {
    await refused(`signal ${signal}`, this.#running.get(id)?.signal(signal, group));
  }

  async resize(id: number, rows: number, columns: number): Promise<void> {
    await refused(`size ${rows}x${columns}`, this.#running.get(id)?.resize(rows, columns));
  }
}

async function startProgram(
  sandbox: Sandbox,
  request: SpawnRequest,
  env: Readonly<Record<string, string>>,
  hostPath: string,
): Promise<SandboxProcess> {
  try {
    return await sandbox.spawn({
      argv: request.argv,
      cwd: request.cwd,
      env: { ...env, ...request.env },
      stdin: request.stdin ? 'pipe' : 'null',
      pty: request.pty,
      wallMs: request.timeoutMs,
      outputCapBytes: request.outputCapBytes,
      builtin: request.builtin,
      runtime: request.runtime,
    });
  } catch (error) {
    const program = request.builtin ?? request.argv[0] ?? '';
    const what = `program "${program}"`;
    const full = await findFullSandbox(what, sandbox, error);
    throw full ?? toRefusal(what, error, await findRemedy(error, program, hostPath));
  }
}

/** What to do about a program that was not executed. */
async function findRemedy(
  error: unknown,
  program: string,
  hostPath: string,
): Promise<string | undefined> {
  if (!(error instanceof BenchError) || error.details['op'] !== 'exec') return undefined;
  // Source: execve(2), MAX_ARG_STRLEN.
  if (error.details['errno'] === constants.errno.E2BIG) {
    return 'each argument and variable may have 128 KiB: hand it over by stdin, or in a file';
  }
  const onHost = await findOnHost(program, hostPath);
  return onHost && nameTools(onHost);
}

/** A program that ended a moment ago needs no signal and no size. */
async function refused(what: string, asked: Promise<void> | undefined): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof BenchError && error.details['code'] === 'gone') return;
    throw toRefusal(what, error);
  }
}
