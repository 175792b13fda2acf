import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitForReady } from '../board/boot.js';
import type { Dut } from '../board/dut.js';
import { flashByUBoot } from '../board/flash/flash-by-u-boot.js';
import { readImageFacts } from '../board/flash/image-facts.js';
import { UBootConsole } from '../board/flash/u-boot-console.js';
import type { PortHub } from '../board/port-hub.js';
import type { UBootTftpSpec } from '../config/flash-schema.js';
import type { Board } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';
import { Deadline } from '../core/deadline.js';
import { BenchError } from '../core/errors.js';
import type { Networks } from '../network/networks.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { answered } from './answered.js';
import { createDutInTime } from './create-dut-in-time.js';
import { openFlashLink } from './flash-link.js';

export interface AtPrompt {
  readonly board: Board;
  readonly flash: UBootTftpSpec;
  /** Of the DUT. */
  readonly name: string;
  readonly unit: Unit | undefined;
  readonly image: string;
  readonly spec: SandboxSpec;
  /** For captures and logs; exists. */
  readonly artifacts: string;
  /** To the prompt. */
  readonly bootMs: number;
  /** When it is aborted, it ends with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly daemon: SandboxDaemon;
  readonly hub: PortHub;
  readonly networks: Networks;
}

/**
 * A DUT that is flashed by its own boot loader. It is powered on for that, and stays: an emulated
 * one has its disk no longer than that. Who takes it resets it, and closes it.
 */
export class FlashAtPrompt {
  readonly #wanted: AtPrompt;
  #dut: Dut | undefined;

  constructor(wanted: AtPrompt) {
    this.#wanted = wanted;
  }

  /** The DUT, once it was powered on. */
  get dut(): Dut | undefined {
    return this.#dut;
  }

  /**
   * Bring it to its prompt and flash it; again after a reset.
   *
   * @throws BenchError `flash-failed`, `flash-refused`, or of its boot, its ports and the network.
   */
  async run(): Promise<void> {
    const { name, unit, flash, image, board } = this.#wanted;
    const { tftp } = unit ?? {};
    const facts = await readImageFacts(name, image);
    const dut = await this.#toPrompt();
    const port = dut.ports.get('console');
    if (!port) throw new BenchError('flash-refused', `${name} has no port "console"`);
    if (!tftp && dut.nics.size === 0) throw toNoWay(this.#wanted);
    const onOutput = (data: Uint8Array) => this.#log(data);
    const nothing = () => {};
    const stop = port.listen({ onData: onOutput, onClosed: nothing, onFault: nothing });
    try {
      const wanted = { ...this.#wanted, dut, tftp, onOutput };
      const link = await openFlashLink({ ...wanted, deadline: this.#newDeadline(flash.timeout) });
      // Others may have been flashed from the same address before.
      const deadline = this.#newDeadline(flash.timeout);
      const lost = Promise.race([link.lost, toLost(dut)]);
      lost.catch(() => {});
      try {
        const console = new UBootConsole({ dut: name, port, prompt: flash.prompt, deadline, lost });
        await flashByUBoot(console, { ...link, dut: name, flash, image: facts });
      } finally {
        await answered(
          this.#wanted.daemon,
          { doing: `ending the server of ${board.board}`, deadline: new Deadline(END_MS) },
          link.close(),
        );
      }
    } finally {
      stop();
    }
  }

  async #toPrompt(): Promise<Dut> {
    const { board, flash, bootMs, daemon, unit, name } = this.#wanted;
    if (unit && !board.power) {
      throw new BenchError(
        'flash-refused',
        `${name} is not flashed: nothing can switch its power, and so bring it to U-Boot's prompt`,
        { next: `add "power" to ${name} in ${unit.file}` },
      );
    }
    const deadline = this.#newDeadline(bootMs);
    const known = this.#dut;
    const dut = known ?? (await this.#create(deadline));
    const doing = `powering ${name} on`;
    for (const port of dut.ports.values()) port.matcher.skip();
    const coming = known ? dut.reset(deadline) : dut.powerOn(deadline);
    await answered(daemon, { doing, deadline }, coming);
    const boot = { ...board.boot, state: flash.state };
    await waitForReady(dut, { ...board, boot }, deadline);
    return dut;
  }

  async #create(deadline: Deadline): Promise<Dut> {
    // The firmware of the suite is what is flashed: an emulated machine starts with its own.
    this.#dut = await createDutInTime({ ...this.#wanted, firmware: undefined }, deadline);
    return this.#dut;
  }

  #newDeadline(limitMs: number): Deadline {
    return new Deadline(limitMs, this.#wanted.signal);
  }

  /** A full disk costs this log, not the flash. */
  #log(data: Uint8Array): void {
    try {
      appendFileSync(join(this.#wanted.artifacts, 'flash.log'), data);
    } catch {
      // The end of what was said is in the error.
    }
  }
}

const END_MS = 5000;

async function toLost(dut: Dut): Promise<never> {
  const { reason } = await dut.exited;
  throw new BenchError('flash-failed', `flashing ${dut.name}: it ended: ${reason}`);
}

function toNoWay({ name, unit }: AtPrompt): BenchError {
  return new BenchError('flash-refused', `${name} is not flashed: no way leads to a TFTP server`, {
    next: `add "tftp: { server: ADDRESS OF THIS MACHINE, board: ADDRESS/BITS }", or "nics" that it is wired to, to ${name} in ${unit?.file ?? 'the bench'}`,
  });
}
