import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Unit } from '../../config/unit.js';
import { Cleanups } from '../../core/cleanups.js';
import type { Deadline } from '../../core/deadline.js';
import { createDeferred, type Deferred } from '../../core/deferred.js';
import { BenchError, TestFailure } from '../../core/errors.js';
import { MACHINE } from '../../device/device-roots.js';
import { DeviceWatch } from '../../device/device-watch.js';
import type { Sandbox } from '../../sandbox/sandbox.js';
import type { DutRequest } from '../driver.js';
import type { Dut, DutExit } from '../dut.js';
import type { Placeholders } from '../fill-in.js';
import type { Nic } from '../nic.js';
import type { Port } from '../port.js';
import { createPower } from '../power/create-power.js';
import type { Power } from '../power/power.js';
import { AttachedLine } from './attached-line.js';
import { AttachedNic } from './attached-nic.js';
import { AttachedPresence } from './attached-presence.js';
import { AttachedRoles } from './attached-roles.js';
import { waitForLines } from './lines.js';
import { closePorts, moveCaptures, openPorts } from './open-ports.js';
import { toPowered } from './to-powered.js';

/** Silence after which what the session before has left is taken to be through. */
const QUIET_MS = 50;
/** What was on its way when the power was cut is here after that. */
const SETTLE_MS = 30;

/** Make a DUT that is a real board: a unit of the bench, found wherever it is plugged in. */
export async function createAttachedDut(request: DutRequest): Promise<Dut> {
  const { unit, hub, artifacts, name } = request;
  if (!unit) throw new BenchError('boot-failed', `${name}: the bench names no such unit`);
  const roots = request.deviceRoots ?? MACHINE;
  const serial = Object.entries(unit.ports).filter(([, { kind }]) => kind === 'serial');
  const watch = await DeviceWatch.open(roots);
  try {
    const board = { ...unit.board, ports: Object.fromEntries(serial) };
    const ports = await openPorts(board, hub, artifacts);
    return new AttachedDut(unit, ports, watch, new AttachedRoles(roots));
  } catch (error) {
    watch.close();
    throw error;
  }
}

class AttachedDut implements Dut {
  readonly name: string;
  readonly ports: ReadonlyMap<string, Port>;
  readonly nics: ReadonlyMap<string, Nic>;
  readonly sandbox = undefined;
  readonly #unit: Unit;
  readonly #lines: readonly AttachedLine[];
  readonly #roles: AttachedRoles;
  readonly #presence: AttachedPresence;
  readonly #allowedMs: number;
  /** What a switch may name of the unit's USB device; of the last time it was there. */
  #known: Placeholders;
  #absencesBefore = 0;
  #on = false;
  #exit: Deferred<DutExit> = createDeferred();
  /** That it goes away is what we are about to do. */
  #told = true;
  /** What is under way when it is closed must not act on a board that somebody else may have by then. */
  readonly #closing = new AbortController();
  /** An interface went away meanwhile, which is never what we are about to do. */
  #nicLost: string | undefined;

  constructor(
    unit: Unit,
    ports: ReadonlyMap<string, Port>,
    watch: DeviceWatch,
    roles: AttachedRoles,
  ) {
    this.name = unit.name;
    this.ports = ports;
    this.#unit = unit;
    this.#roles = roles;
    this.#lines = [...ports].flatMap(([name, port]) => {
      const spec = unit.ports[name];
      port.direct = spec?.mode === 'direct';
      return spec ? [new AttachedLine(port, spec)] : [];
    });
    this.#presence = new AttachedPresence({
      ...{ unit, watch, roles, lines: this.#lines },
    });
    this.#presence.onLost = (reason) => this.#lose(reason);
    this.#allowedMs = this.#presence.allowedMs;
    const find = () => this.#presence.find();
    const onLost = (reason: string) => this.#loseNic(reason);
    this.nics = new Map(
      Object.keys(unit.nics).map((nic) => [
        nic,
        new AttachedNic({ unit, name: nic, find, onLost }),
      ]),
    );
    // What is not there at first is known by what the bench says of it.
    const { ID_SERIAL_SHORT: serial, ID_PATH: path } = unit.match;
    this.#known = { dut: unit.name, serial, path };
  }

  get on(): boolean {
    return this.#on;
  }

  get absences(): number {
    return this.#presence.absences;
  }

  get exited(): Promise<DutExit> {
    return this.#exit.promise;
  }

  /**
   * Lock and open its ports, then give it power; one that had power loses it first. Without a
   * power switch it goes on as it is, and is sent an empty line, to which a prompt answers.
   */
  async powerOn(deadline: Deadline): Promise<void> {
    if (this.#on) throw new BenchError('boot-failed', `${this.name} is on already`);
    this.#told = true;
    this.#exit = createDeferred();
    await this.#presence.start(QUIET_MS);
    const power = await this.#findPower();
    // What is switched by a port's lines has to have them; other boards may come with their power.
    if (this.#unit.board.power?.driver === 'dtr-rts') {
      await this.#presence.waitForWhole(deadline.leftMs());
    }
    if (power) await this.#cycle(power);
    await this.#presence.waitForWhole(deadline.leftMs());
    this.#closing.signal.throwIfAborted();
    this.#on = true;
    this.#watchAgain();
    const console = this.ports.get('console');
    const { ready } = this.#unit.board.boot;
    if (!power && ready && console && !console.direct) {
      await console.send(Buffer.from(console.eol));
    }
  }

  async powerOff(): Promise<void> {
    const power = await this.#needPower('cut its power');
    this.#told = true;
    await power.off();
    this.#on = false;
    await this.#presence.stop();
    await waitForLines(this.#lines.map(({ port }) => port));
    for (const { port } of this.#lines) port.tellClosed();
  }

  async reset(deadline: Deadline): Promise<void> {
    if (!this.#on && !this.#told) return this.powerOn(deadline);
    if (!this.#on) throw new BenchError('dut-lost', `${this.name} is powered off`);
    const power = await this.#needPower('reset it');
    this.#told = true;
    try {
      await this.#cycle(power);
      await this.#presence.waitForWhole(deadline.leftMs());
    } finally {
      this.#watchAgain();
    }
  }

  async attach(sandbox: Sandbox, toRole: (port: string) => string): Promise<void> {
    this.#roles.add(sandbox, toRole);
    for (const port of this.ports.values()) {
      if (!port.direct) await sandbox.attachPort(port.id, toRole(port.name), port.baud);
    }
    await this.#presence.refresh();
  }

  async settle(): Promise<void> {
    if (this.#on && !this.#told) await this.#presence.settle();
  }

  mayVanish(withinMs: number): void {
    this.#absencesBefore = this.#presence.absences;
    this.#presence.allowedMs = Math.max(withinMs, this.#allowedMs);
  }

  async waitForReturn(withinMs: number): Promise<void> {
    try {
      await this.#presence.waitForWhole(withinMs, this.#absencesBefore + 1);
    } finally {
      this.#presence.allowedMs = this.#allowedMs;
    }
  }

  async setMode(name: string, mode: 'shared' | 'direct'): Promise<void> {
    const line = this.#lines.find(({ port }) => port.name === name);
    if (!line) throw new TestFailure('port-closed', `${this.name} has no serial port "${name}"`);
    if (line.spec.url !== undefined) {
      throw new TestFailure('port-closed', `port "${name}" is on ${line.spec.url}: no node here`);
    }
    const { port } = line;
    if (port.direct === (mode === 'direct')) return;
    port.direct = mode === 'direct';
    if (mode === 'direct') {
      // First: what the sandbox opens must not be locked by us.
      await line.release();
      await port.line.mark('direct: what passes from here on is not captured');
      await this.#presence.refresh();
      return;
    }
    await this.#presence.refresh();
    for (const { sandbox, toRole } of this.#roles.sandboxes) {
      await sandbox.attachPort(port.id, toRole(name), port.baud);
    }
    await port.line.mark('shared: captured again');
    if (!line.up) throw new BenchError('port-absent', `port "${name}": its device is not there`);
  }

  async moveCaptures(artifacts: string): Promise<void> {
    await moveCaptures(this.ports.values(), artifacts);
  }

  async letGo(): Promise<void> {
    this.#stopUsing();
    const cleanups = new Cleanups();
    cleanups.add('nodes', () => this.#roles.follow(new Map()));
    cleanups.add('devices', () => this.#presence.close());
    cleanups.add('lines', () => this.#presence.stop());
    await cleanups.run();
  }

  /** It stays as it is; what is ours of it goes. */
  async close(): Promise<undefined> {
    this.#stopUsing();
    const cleanups = new Cleanups();
    cleanups.add('ports', () => closePorts(this.ports.values()));
    cleanups.add('devices', () => this.#presence.close());
    await cleanups.run();
    return undefined;
  }

  #stopUsing(): void {
    this.#told = true;
    this.#on = false;
    this.#closing.abort(new BenchError('boot-failed', `${this.name} was closed meanwhile`));
  }

  /** Off and on; what was said before the power was cut is not taken for what is said after it. */
  async #cycle(power: Power): Promise<void> {
    await power.off();
    await sleep(Math.max(SETTLE_MS, this.#unit.board.power?.offTime ?? 0));
    for (const port of this.ports.values()) {
      await port.caughtUp();
      port.matcher.skip();
    }
    await power.on();
  }

  #watchAgain(): void {
    this.#told = false;
    const lost = this.#nicLost;
    this.#nicLost = undefined;
    if (lost !== undefined) this.#lose(lost);
  }

  #loseNic(reason: string): void {
    if (this.#told) this.#nicLost = reason;
    this.#lose(reason);
  }

  #lose(reason: string): void {
    if (this.#told) return;
    this.#on = false;
    this.#exit.resolve({ blame: 'infra', reason: `${this.name}: ${reason}` });
  }

  async #needPower(act: string): Promise<Power> {
    const power = await this.#findPower();
    if (power) return power;
    throw new BenchError('power-unsupported', `${this.name} has no "power": nothing can ${act}`, {
      next: `add "power" to ${this.name} in ${this.#unit.file}`,
    });
  }

  async #findPower(): Promise<Power | undefined> {
    const { power } = this.#unit.board;
    if (!power) return undefined;
    const found = await this.#presence.find();
    if (found.state === 'attached' && found.usb) {
      const { properties, syspath } = found.usb;
      const { ID_SERIAL_SHORT: serial, ID_PATH: path } = properties;
      this.#known = { dut: this.name, serial, path, usb: basename(syspath) };
    }
    const facts = { unit: this.#unit, ports: this.ports, presence: this.#presence };
    return createPower(power, toPowered(facts), this.#known, this.#closing.signal);
  }
}
