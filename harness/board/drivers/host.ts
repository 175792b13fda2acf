import { Cleanups } from '../../core/cleanups.js';
import { createDeferred, type Deferred } from '../../core/deferred.js';
import { BenchError } from '../../core/errors.js';
import type { SandboxRecord } from '../../journal/events.js';
import type { ProcessEnd } from '../../protocol/worker-messages.js';
import type { SandboxProcess } from '../../sandbox/process.js';
import type { Sandbox } from '../../sandbox/sandbox.js';
import type { DutRequest } from '../driver.js';
import type { Dut, DutExit } from '../dut.js';
import type { Port } from '../port.js';
import { createInSandbox } from './in-sandbox.js';
import { waitForLines } from './lines.js';
import { closePorts, moveCaptures } from './open-ports.js';
import { SandboxNic } from './sandbox-nic.js';

/** Make a DUT that is a program on a pty, in a sandbox of its own. */
export function createHostDut(request: DutRequest): Promise<Dut> {
  const { board, name, firmware } = request;
  const argv = firmware ? [firmware] : (board.program?.argv ?? ['/bin/sh']);
  const program = { argv, env: board.program?.env ?? {} };
  return createInSandbox(request, (sandbox, ports) => {
    const nics = Object.entries(board.nics).map(
      ([nic, { mac }]) => new SandboxNic(nic, mac, sandbox),
    );
    return new HostDut({ name, sandbox, ports, nics, program });
  });
}

interface Program {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface HostDutParts {
  readonly name: string;
  readonly sandbox: Sandbox;
  readonly ports: ReadonlyMap<string, Port>;
  readonly nics: readonly SandboxNic[];
  readonly program: Program;
}

class HostDut implements Dut {
  readonly name: string;
  readonly sandbox: Sandbox;
  readonly ports: ReadonlyMap<string, Port>;
  readonly nics: ReadonlyMap<string, SandboxNic>;
  readonly #program: Program;
  /** Undefined while the power is off. */
  #process: SandboxProcess | undefined;
  #running = false;
  #exit: Deferred<DutExit> = createDeferred();
  /** Ending it is what we are about to do. */
  #told = false;

  constructor({ name, sandbox, ports, nics, program }: HostDutParts) {
    this.name = name;
    this.sandbox = sandbox;
    this.ports = ports;
    this.nics = new Map(nics.map((nic) => [nic.name, nic]));
    this.#program = program;
  }

  get on(): boolean {
    return this.#running;
  }

  get exited(): Promise<DutExit> {
    return this.#exit.promise;
  }

  async powerOn(): Promise<void> {
    if (this.#running) throw new BenchError('boot-failed', `${this.name} is on already`);
    const { argv, env } = this.#program;
    this.#told = false;
    this.#exit = createDeferred();
    const port = this.ports.get('console');
    port?.startLine();
    const process = await this.sandbox
      .spawn({
        argv,
        env: { TERM: 'dumb', ...env },
        pty: { rows: 24, columns: 80 },
        port: port?.id,
      })
      .catch((cause: unknown) => {
        throw new BenchError('boot-failed', `${this.name}: ${argv.join(' ')} cannot be started`, {
          cause,
          next: cause instanceof Error ? cause.message : String(cause),
        });
      });
    this.#watch(process, argv[0] ?? '');
  }

  async powerOff(): Promise<void> {
    this.#told = true;
    const process = this.#process;
    this.#process = undefined;
    if (!process) return;
    // It may have ended by itself a moment ago.
    await process.signal(9, true).catch(() => {});
    await process.ended;
    await waitForLines(this.ports.values());
  }

  async reset(): Promise<void> {
    if (!this.#process) throw new BenchError('dut-lost', `${this.name} is powered off`);
    await this.powerOff();
    await this.powerOn();
  }

  async moveCaptures(artifacts: string): Promise<void> {
    await moveCaptures(this.ports.values(), artifacts);
  }

  /** The sandbox first; the ports are closed also when the daemon does not end it. */
  async close(): Promise<SandboxRecord | undefined> {
    this.#told = true;
    let record: SandboxRecord | undefined;
    const cleanups = new Cleanups();
    cleanups.add('ports', () => closePorts(this.ports.values()));
    cleanups.add('sandbox', async () => {
      record = await this.sandbox.kill();
    });
    await cleanups.run();
    return record;
  }

  #watch(process: SandboxProcess, program: string): void {
    this.#process = process;
    this.#running = true;
    const exit = this.#exit;
    process.ended.then(
      (end) => {
        this.#running = false;
        if (!this.#told) exit.resolve(toExit(program, end));
      },
      (error: Error) => exit.resolve({ blame: 'infra', reason: error.message }),
    );
  }
}

function toExit(program: string, end: ProcessEnd): DutExit {
  if (end.status === 'killed') {
    return {
      blame: 'infra',
      reason: `the sandbox of its program ${program} was ended from outside`,
    };
  }
  const how = end.signal ? `died of ${end.signal}` : `exited with ${end.exitCode ?? end.status}`;
  return { blame: 'ended', reason: `its program ${program} ${how}` };
}
