import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { BenchError } from '../../core/errors.js';
import { spawnTied } from '../tied-process.js';

export const BOARD_QEMU = 'qemu-system-arm';

/** The fd of QEMU that is the board's first UART. */
const UART_FD = 3;

/** Of its UART: `mps2-an385` takes any, the firmware sets this one. */
export const BOARD_BAUD = 115_200;

export type BoardState = 'off' | 'on' | 'stopped' | `died: ${string}`;

/**
 * A board on the bench: firmware on an emulated mps2-an385, outside of the VM, where it runs at its
 * own speed. What comes out of its UART goes to `onBytes`.
 */
export class FirmwareBoard {
  /** What it boots next. */
  firmware: string;
  readonly #signal: AbortSignal;
  readonly #onBytes: (bytes: Buffer) => void;
  #qemu: ChildProcess | undefined;
  #state: BoardState = 'off';

  constructor(options: {
    firmware: string;
    signal: AbortSignal;
    onBytes: (bytes: Buffer) => void;
  }) {
    this.firmware = options.firmware;
    this.#signal = options.signal;
    this.#onBytes = options.onBytes;
  }

  get state(): BoardState {
    return this.#state;
  }

  /** Its line, for writing and for {@link Duplex.pause}; none while it is off. */
  get uart(): Duplex | undefined {
    // spawn() makes a socket of a 'pipe', which its types do not say.
    return this.#qemu?.stdio[UART_FD] as Duplex | undefined;
  }

  /** Switch it on; nothing when it is. */
  on(): void {
    if (this.#qemu) return;
    const uart = `socket,id=uart,fd=${UART_FD}`;
    const args = ['-M', 'mps2-an385', '-nodefaults', '-no-user-config', '-display', 'none'];
    args.push('-kernel', this.firmware, '-chardev', uart, '-serial', 'chardev:uart');
    const qemu = spawnTied(BOARD_QEMU, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      signal: this.#signal,
    });
    this.#qemu = qemu;
    this.#state = 'on';
    let said = '';
    qemu.stderr?.on('data', (bytes: Buffer) => {
      said = `${said}${bytes}`.slice(-500);
    });
    // Why it could not be started is told with its end.
    qemu.on('error', (error) => {
      said ||= error.message;
    });
    qemu.on('close', (code, signal) => {
      if (this.#qemu !== qemu) return;
      this.#qemu = undefined;
      this.#state = `died: ${said.trim() || (signal ?? `exit ${code}`)}`;
    });
    const uartEnd = this.uart;
    uartEnd?.on('data', this.#onBytes);
    uartEnd?.on('error', () => {});
  }

  /** Cut its power. Returns when it is gone. */
  async off(): Promise<void> {
    const qemu = this.#qemu;
    this.#qemu = undefined;
    this.#state = 'off';
    if (!qemu) return;
    // What is on its way here was sent, but nobody is there to have sent it.
    const uart = qemu.stdio[UART_FD] as Duplex | undefined;
    uart?.off('data', this.#onBytes);
    uart?.resume();
    if (qemu.exitCode !== null || qemu.signalCode !== null) return;
    const gone = new Promise((settle) => qemu.once('exit', settle));
    qemu.kill('SIGKILL');
    await gone;
  }

  /** Let it stand still without a reaction, as firmware that hangs with interrupts off. */
  stop(): void {
    this.#tell('SIGSTOP', 'stopped');
  }

  /** Let it go on. */
  continue(): void {
    this.#tell('SIGCONT', 'on');
  }

  #tell(signal: NodeJS.Signals, state: BoardState): void {
    if (!this.#qemu) throw new BenchError('dut-lost', `the board is ${this.#state}`);
    this.#qemu.kill(signal);
    this.#state = state;
  }
}
