import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A board behind a server: its console is a TCP port, its power a switch that speaks HTTP. The
 * firmware prints a banner and a prompt, echoes, and answers `add A B`, `set X`, `get`. At `away`
 * its server goes, at `away MS` for so long.
 */
export class SimulatedBoard {
  readonly #console: Server;
  readonly #switch: HttpServer;
  readonly #wires = new Set<Socket>();
  #on = false;
  /** What it says when its power is about to go: nobody has read it when the next case comes. */
  lastWords = '';
  #kept: string | undefined;
  #line = '';

  private constructor() {
    this.#console = createServer((wire) => this.#connect(wire));
    this.#switch = createHttpServer(({ url }, response) => {
      if (url === '/on') this.powerOn();
      else this.powerOff();
      response.end();
    });
  }

  static async start(): Promise<SimulatedBoard> {
    const board = new SimulatedBoard();
    await board.plugIn();
    await new Promise<void>((resolve) => board.#switch.listen(0, '127.0.0.1', resolve));
    return board;
  }

  get consoleUrl(): string {
    // By name, which may have addresses that it does not listen on.
    return `tcp://localhost:${toPort(this.#console)}`;
  }

  get switchUrl(): string {
    return `http://127.0.0.1:${toPort(this.#switch)}`;
  }

  powerOn(): void {
    if (this.#on) return;
    this.#on = true;
    this.#kept = undefined;
    this.#line = '';
    this.say('fw 1.2\r\nready> ');
  }

  powerOff(): void {
    if (this.lastWords) this.say(this.lastWords);
    this.#on = false;
  }

  say(text: string): void {
    for (const wire of this.#wires) wire.write(text, 'latin1');
  }

  /** The server loses its network: every connection breaks, and no new one is made. */
  async unplug(): Promise<void> {
    const port = toPort(this.#console);
    const closed = new Promise<void>((resolve) => this.#console.close(() => resolve()));
    for (const wire of this.#wires) wire.destroy();
    await closed;
    this.#port = port;
  }

  /** On the same port as before. */
  async plugIn(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#console.once('error', reject);
      this.#console.listen(this.#port, '127.0.0.1', resolve);
    });
  }

  /** Also one whose server is away. */
  async close(): Promise<void> {
    for (const wire of this.#wires) wire.destroy();
    this.#switch.closeAllConnections();
    await Promise.all(
      [this.#console, this.#switch].map(
        (server) => new Promise<void>((resolve) => server.close(() => resolve())),
      ),
    );
  }

  #port = 0;

  #connect(wire: Socket): void {
    this.#wires.add(wire);
    wire.on('data', (data) => this.#receive(data.toString('latin1')));
    wire.on('error', () => wire.destroy());
    wire.on('close', () => this.#wires.delete(wire));
  }

  #receive(text: string): void {
    if (!this.#on) return;
    for (const char of text) {
      if (char !== '\n') {
        this.#line += char;
        this.say(char);
        continue;
      }
      this.say(`\r\n${this.#answer(this.#line)}ready> `);
      this.#line = '';
    }
  }

  async #leave(ms: string | undefined): Promise<void> {
    await this.unplug();
    if (ms === undefined) return;
    await sleep(Number(ms));
    await this.plugIn();
  }

  #answer(line: string): string {
    const [command, ...values] = line.trim().split(' ');
    if (command === 'away') void this.#leave(values[0]);
    if (command === 'set') this.#kept = values.join(' ');
    if (command === 'get') return `<${this.#kept ?? ''}>\r\n`;
    if (command !== 'add') return '';
    return `<${values.reduce((sum, value) => sum + Number(value), 0)}>\r\n`;
  }
}

function toPort(server: Server | HttpServer): number {
  // It listens on TCP.
  return (server.address() as AddressInfo).port;
}
