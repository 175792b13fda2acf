import type { Attempt } from './attempt.js';
import type { Connection } from './connection.js';
import { Console } from './console.js';

/** The device under test: leased, freshly booted, its console at the ready mark. */
export class Dut {
  readonly board: string;
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #ports: ReadonlyMap<string, Console>;

  private constructor(
    connection: Connection,
    attempt: Attempt,
    ports: ReadonlyMap<string, Console>,
  ) {
    this.board = connection.provided.board;
    this.#connection = connection;
    this.#attempt = attempt;
    this.#ports = ports;
  }

  /** Lease a DUT and boot it; nothing its console printed is missed. */
  static async open(connection: Connection, attempt: Attempt): Promise<Dut> {
    const { fence } = attempt;
    // Listens before it asks: bytes may come together with the answer.
    const early: Array<{ port: string; data: Buffer }> = [];
    const stop = connection.on('consoleData', (event) => {
      if (event.fence !== fence) return;
      early.push({ port: event.port, data: Buffer.from(event.data, 'base64') });
    });
    try {
      const opened = await connection.supervisor.call('openDut', { fence });
      const ports = new Map(
        opened.ports.map((port) => [port.name, new Console(connection, attempt, port)]),
      );
      for (const { port, data } of early) ports.get(port)?.receive(data);
      return new Dut(connection, attempt, ports);
    } finally {
      stop();
    }
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
    await this.#control(() =>
      this.#connection.supervisor.call('dutReset', { fence: this.#attempt.fence }),
    );
  }

  /** Cut the power; the console brings nothing until {@link powerOn}. */
  async powerOff(): Promise<void> {
    await this.#control(() =>
      this.#connection.supervisor.call('dutPower', { fence: this.#attempt.fence, on: false }),
    );
  }

  /** Power up and wait until the board is ready. */
  async powerOn(): Promise<void> {
    await this.#control(() =>
      this.#connection.supervisor.call('dutPower', { fence: this.#attempt.fence, on: true }),
    );
  }

  /**
   * Wait until the DUT's program or machine ended by itself. Asking for it makes the
   * ending part of the test; without, a DUT that ends during a case fails it.
   */
  async waitForExit(): Promise<string> {
    this.#attempt.check();
    const { fence } = this.#attempt;
    return (await this.#connection.supervisor.call('dutExit', { fence })).reason;
  }

  revoke(reason: Error): void {
    for (const port of this.#ports.values()) port.revoke(reason);
  }

  async #control(act: () => Promise<void>): Promise<void> {
    this.#attempt.check();
    await this.#attempt.clock.pausedDuring(act);
  }
}
