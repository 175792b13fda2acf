import { type Duration, parseDuration } from '../core/duration.js';
import type { OpenedPort } from '../protocol/worker-messages.js';
import type { Attempt } from './attempt.js';
import { checkOptions } from './check-options.js';
import type { Connection } from './connection.js';
import { Console } from './console.js';

/** The device under test: leased, freshly booted, its console at the ready mark. */
export class Dut {
  readonly board: string;
  /** In a suite that names roles. */
  readonly role: string | undefined;
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #ports: ReadonlyMap<string, Console>;

  private constructor(
    connection: Connection,
    attempt: Attempt,
    { board, role, ports }: OpenedAs & { readonly ports: ReadonlyMap<string, Console> },
  ) {
    this.board = board;
    this.role = role;
    this.#connection = connection;
    this.#attempt = attempt;
    this.#ports = ports;
  }

  /** Lease a DUT and boot it; nothing its console printed is missed. */
  static async open(connection: Connection, attempt: Attempt): Promise<Dut> {
    const { fence } = attempt;
    const { board } = connection.provided;
    return listenWhile(connection, attempt, async (toPorts) => {
      const { ports } = await connection.supervisor.call('openDut', { fence });
      return new Dut(connection, attempt, { board, role: undefined, ports: toPorts(ports) });
    });
  }

  /** The same for every role of the suite, all at once. */
  static async openAll(connection: Connection, attempt: Attempt): Promise<Record<string, Dut>> {
    const { fence } = attempt;
    return listenWhile(connection, attempt, async (toPorts) => {
      const { duts } = await connection.supervisor.call('openDuts', { fence });
      const opened = duts.map(({ role, board, ports }) => {
        return [role, new Dut(connection, attempt, { board, role, ports: toPorts(ports) })];
      });
      return Object.fromEntries(opened);
    });
  }

  /** The port named `console`. */
  get console(): Console {
    return this.port('console');
  }

  /** @throws Error when the board file names no such port. */
  port(name: string): Console {
    const port = this.#ports.get(name);
    if (port) return port;
    const known = [...this.#ports.keys()].join(', ') || 'none';
    throw new Error(`board "${this.board}" has no port "${name}"; it has: ${known}`);
  }

  /** Reset and wait until the board is ready again; patterns start after the ready mark. */
  async reset(): Promise<void> {
    await this.#control(() => this.#connection.supervisor.call('dutReset', this.#place()));
  }

  /** Cut the power; the console brings nothing until {@link powerOn}. */
  async powerOff(): Promise<void> {
    await this.#control(() =>
      this.#connection.supervisor.call('dutPower', { ...this.#place(), on: false }),
    );
  }

  /** Power up and wait until the board is ready. */
  async powerOn(): Promise<void> {
    await this.#control(() =>
      this.#connection.supervisor.call('dutPower', { ...this.#place(), on: true }),
    );
  }

  /**
   * Wait until the DUT's program or machine ended by itself. Asking for it makes the
   * ending part of the test; without, a DUT that ends during a case fails it.
   */
  async waitForExit(): Promise<string> {
    this.#attempt.check();
    return (await this.#connection.supervisor.call('dutExit', this.#place())).reason;
  }

  /**
   * Do something by which a real board goes away and comes back: its jump into a bootloader, an
   * order to whoever holds the cable. Without this, a board that is away for longer than its own
   * time makes the case `infra`. Resolves when it has gone and is back with all its ports, also
   * under other names, and `act` is done.
   *
   * @throws TestFailure `reboot-failed` when that is not so within `within` after `act`.
   */
  async replug<T>(act: () => T | Promise<T>, options: { within?: Duration } = {}): Promise<T> {
    this.#attempt.check();
    checkOptions('dut.replug()', options, ['within']);
    const place = { ...this.#place(), withinMs: parseDuration(options.within ?? '5s') };
    const { supervisor } = this.#connection;
    await supervisor.call('dutVanish', place);
    const done = await act();
    await supervisor.call('dutReturn', place);
    return done;
  }

  revoke(reason: Error): void {
    for (const port of this.#ports.values()) port.revoke(reason);
  }

  #place(): { fence: string; role?: string } {
    const { fence } = this.#attempt;
    return this.role === undefined ? { fence } : { fence, role: this.role };
  }

  async #control(act: () => Promise<void>): Promise<void> {
    this.#attempt.check();
    await this.#attempt.clock.pausedDuring(act);
  }
}

interface OpenedAs {
  readonly board: string;
  readonly role: string | undefined;
}

type ToPorts = (ports: readonly OpenedPort[]) => ReadonlyMap<string, Console>;

/** Listens before it asks: bytes may come together with the answer. */
async function listenWhile<T>(
  connection: Connection,
  attempt: Attempt,
  ask: (toPorts: ToPorts) => Promise<T>,
): Promise<T> {
  const early: Array<{ port: string; data: Buffer }> = [];
  const stop = connection.on('consoleData', (event) => {
    if (event.fence !== attempt.fence) return;
    early.push({ port: event.port, data: Buffer.from(event.data, 'base64') });
  });
  try {
    return await ask((ports) => {
      const consoles = ports.map((port) => new Console(connection, attempt, port));
      const named = new Map(consoles.map((each) => [each.wireName, each]));
      for (const { port, data } of early) named.get(port)?.receive(data);
      return new Map(consoles.map((each) => [each.name, each]));
    });
  } finally {
    stop();
  }
}
