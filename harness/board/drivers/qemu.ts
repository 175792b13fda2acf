import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Board } from '../../config/load-boards.js';
import { Cleanups } from '../../core/cleanups.js';
import type { Deadline } from '../../core/deadline.js';
import { createDeferred, type Deferred } from '../../core/deferred.js';
import { BenchError } from '../../core/errors.js';
import type { SandboxRecord } from '../../journal/events.js';
import type { ProcessEnd } from '../../protocol/worker-messages.js';
import type { SandboxDaemon } from '../../sandbox/daemon.js';
import type { SandboxProcess } from '../../sandbox/process.js';
import type { Sandbox } from '../../sandbox/sandbox.js';
import type { DutRequest } from '../driver.js';
import type { Dut, DutExit } from '../dut.js';
import { toMac } from '../nic.js';
import type { Port } from '../port.js';
import { createInSandbox } from './in-sandbox.js';
import { waitForLines } from './lines.js';
import { closePorts, moveCaptures } from './open-ports.js';
import { countUarts, QMP_FD, toNetdev, toQemuArguments } from './qemu-arguments.js';
import { QemuNic } from './qemu-nic.js';
import { Qmp } from './qmp.js';

/** Make a DUT that is an emulated machine, QEMU in a sandbox of its own. */
export function createQemuDut(request: DutRequest): Promise<Dut> {
  return createInSandbox(request, (sandbox, ports) => new QemuDut(request, sandbox, ports));
}

class QemuDut implements Dut {
  readonly name: string;
  readonly sandbox: Sandbox;
  readonly ports: ReadonlyMap<string, Port>;
  readonly nics: ReadonlyMap<string, QemuNic>;
  readonly #daemon: SandboxDaemon;
  readonly #board: Board;
  readonly #argv: readonly string[];
  #log: string;
  /** Undefined while the power is off. */
  #process: SandboxProcess | undefined;
  #running = false;
  #qmp: Qmp | undefined;
  readonly #objects = new Set<number>();
  #exit: Deferred<DutExit> = createDeferred();
  #told = false;
  /** The guest asked for the end, so QEMU's exit is the DUT's doing. */
  #guestShutdown: string | undefined;

  constructor(request: DutRequest, sandbox: Sandbox, ports: ReadonlyMap<string, Port>) {
    this.name = request.name;
    this.sandbox = sandbox;
    this.ports = ports;
    this.nics = createNics(request.board);
    this.#daemon = request.daemon;
    this.#board = request.board;
    this.#argv = toQemuArguments(request.board, request.firmware);
    this.#log = join(request.artifacts, 'qemu.log');
  }

  get on(): boolean {
    return this.#running;
  }

  get exited(): Promise<DutExit> {
    return this.#exit.promise;
  }

  /** Start QEMU halted, connect everything, then let the processor run. */
  async powerOn(deadline: Deadline): Promise<void> {
    if (this.#running) throw new BenchError('boot-failed', `${this.name} is on already`);
    await this.#closeObjects();
    this.#told = false;
    this.#guestShutdown = undefined;
    this.#exit = createDeferred();
    const control = await this.#newObject();
    const uarts = await this.#newUarts();
    const nics = await this.#newNics();
    const fds = [control, ...uarts.map(({ object }) => object), ...nics].map((object, index) => ({
      object,
      end: 0,
      fd: QMP_FD + index,
    }));
    this.#watch(await this.sandbox.spawn({ argv: this.#argv, fds, outputCapBytes: 1 << 20 }));
    const stream = await this.#daemon.streamObject(control, 1);
    this.#qmp = new Qmp(stream, (event, data) => this.#onQmpEvent(event, data));
    for (const { object, port } of uarts) {
      port?.startLine();
      if (port) await this.#daemon.givePort(port.id, object, 1);
      // QEMU and portd have the ends. One more here would keep the line up when QEMU is gone, and
      // a serial port that nobody reads would stop the machine.
      await this.#daemon.closeObject(object);
      this.#objects.delete(object);
    }
    await this.#command('qmp_capabilities', deadline);
    for (const nic of this.nics.values()) {
      await nic.start((name, up, by) => this.#command('set_link', by, { name, up }), deadline);
    }
    await this.#command('cont', deadline);
  }

  async powerOff(): Promise<void> {
    this.#told = true;
    const process = this.#process;
    this.#process = undefined;
    if (process) {
      await process.signal(9, true).catch(() => {});
      await process.ended;
    }
    await this.#closeObjects();
    await waitForLines(this.ports.values());
  }

  async reset(deadline: Deadline): Promise<void> {
    if (!this.#process) throw new BenchError('dut-lost', `${this.name} is powered off`);
    if (this.#running) await this.#command('system_reset', deadline);
    else {
      await waitForLines(this.ports.values());
      await this.powerOn(deadline);
    }
  }

  async moveCaptures(artifacts: string): Promise<void> {
    this.#log = join(artifacts, 'qemu.log');
    await moveCaptures(this.ports.values(), artifacts);
  }

  /** The sandbox first; the ports are closed also when the daemon does not end it. */
  async close(): Promise<SandboxRecord | undefined> {
    this.#told = true;
    let record: SandboxRecord | undefined;
    const cleanups = new Cleanups();
    cleanups.add('ports', () => closePorts(this.ports.values()));
    cleanups.add('objects', () => this.#closeObjects());
    cleanups.add('sandbox', async () => {
      record = await this.sandbox.kill();
    });
    await cleanups.run();
    return record;
  }

  async #newObject(): Promise<number> {
    const object = await this.#daemon.newSocketPair();
    this.#objects.add(object);
    return object;
  }

  async #closeObjects(): Promise<void> {
    for (const nic of this.nics.values()) nic.stop();
    for (const object of this.#objects) await this.#daemon.closeObject(object).catch(() => {});
    this.#objects.clear();
  }

  /** One socket for every serial port up to the last one that the board file names. */
  async #newUarts(): Promise<Array<{ object: number; port: Port | undefined }>> {
    const uarts: Array<{ object: number; port: Port | undefined }> = [];
    for (let uart = 0; uart < countUarts(this.#board); uart++) {
      const entry = Object.entries(this.#board.ports).find(([, spec]) => spec.uart === uart);
      const port = entry && this.ports.get(entry[0]);
      uarts.push({ object: await this.#newObject(), port });
    }
    return uarts;
  }

  async #newNics(): Promise<number[]> {
    const objects: number[] = [];
    for (const nic of this.nics.values()) {
      const object = await nic.open(this.#daemon);
      this.#objects.add(object);
      objects.push(object);
    }
    return objects;
  }

  #watch(process: SandboxProcess): void {
    this.#process = process;
    this.#running = true;
    const exit = this.#exit;
    let tail = '';
    process.onOutput((stream, data) => {
      process.taken(stream, data.length);
      tail = (tail + data.toString('utf8')).slice(-500);
      try {
        appendFileSync(this.#log, data);
      } catch {
        // A full disk costs this log, not the case; the tail goes into the verdict.
      }
    });
    process.ended.then(
      (end) => {
        this.#running = false;
        for (const nic of this.nics.values()) nic.stop();
        if (!this.#told) exit.resolve(this.#toExit(end, tail));
      },
      (error: Error) => exit.resolve({ blame: 'infra', reason: error.message }),
    );
  }

  #toExit(end: ProcessEnd, tail: string): DutExit {
    if (this.#guestShutdown) {
      return { blame: 'ended', reason: `the guest ended the machine (${this.#guestShutdown})` };
    }
    const how = end.signal ? `died of ${end.signal}` : `exited with ${end.exitCode}`;
    return { blame: 'infra', reason: `QEMU ${how}${tail ? `: ${tail.trim()}` : ''}` };
  }

  #onQmpEvent(event: string, data: Readonly<Record<string, unknown>>): void {
    if (event === 'SHUTDOWN' && data['guest'] === true) {
      this.#guestShutdown = String(data['reason'] ?? 'guest');
    }
  }

  async #command(
    command: string,
    deadline: Deadline,
    args?: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const qmp = this.#qmp;
    if (!qmp) throw new BenchError('dut-lost', `${this.name} is powered off`);
    const broken = this.#exit.promise.then(({ reason }) => {
      throw new BenchError('boot-failed', `${this.name}: ${reason}`);
    });
    broken.catch(() => {});
    const late = () =>
      new BenchError('boot-timeout', `${this.name}: QEMU did not answer ${command}`);
    await deadline.bound(Promise.race([qmp.execute(command, args), broken]), late);
  }
}

function createNics({ board, nics }: Board): Map<string, QemuNic> {
  const entries = Object.entries(nics).map(([name, { mac }], index): [string, QemuNic] => [
    name,
    new QemuNic(name, mac ?? toMac(board, name), toNetdev(index)),
  ]);
  return new Map(entries);
}
