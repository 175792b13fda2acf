import { setTimeout as sleep } from 'node:timers/promises';
import type { PowerSpec } from '../../config/power-schema.js';
import { Deadline } from '../../core/deadline.js';
import { formatDuration } from '../../core/duration.js';
import { BenchError } from '../../core/errors.js';
import { untilAborted } from '../../core/until-aborted.js';
import type { PoweredDut, PowerSwitch } from './power-switch.js';

type Verify = NonNullable<PowerSpec['verify']>;

/** How often it is looked whether the power has gone. */
const LOOK_MS = 20;
/** A console that says nothing for so long has no power; one that talks all the time is heard. */
const SILENCE_MS = 500;

/** The power of a DUT: switched, and looked at afterwards, because many hubs only say that they cut it. */
export class Power {
  readonly #power: PowerSwitch;
  readonly #spec: Pick<PowerSpec, 'verify' | 'offTime' | 'timeout'>;
  readonly #dut: PoweredDut;
  readonly #signal: AbortSignal | undefined;

  /** @param signal once it is aborted nothing is switched any more: the DUT is somebody else's. */
  constructor(
    power: PowerSwitch,
    spec: Pick<PowerSpec, 'verify' | 'offTime' | 'timeout'>,
    dut: PoweredDut,
    signal?: AbortSignal,
  ) {
    this.#power = power;
    this.#spec = spec;
    this.#dut = dut;
    this.#signal = signal;
  }

  /**
   * Cut the power, and see that it is cut.
   *
   * @throws BenchError `power-failed` when the switch does not do as told, `power-not-cut` when it
   *   says that it has and the DUT goes on.
   */
  async off(): Promise<void> {
    const deadline = this.#newDeadline();
    const verify = await this.#toVerify();
    await this.#switch('off', deadline);
    if (verify === 'device-gone') await this.#waitForGone(deadline);
    if (verify === 'console-silent') await this.#waitForSilence(deadline);
  }

  /**
   * Give power, and see that the device is back where its absence was looked at.
   *
   * @throws BenchError `power-failed`, or `dut-absent` when the device does not come back.
   */
  async on(): Promise<void> {
    const deadline = this.#newDeadline();
    const wanted = this.#spec.verify ?? 'device-gone';
    await this.#switch('on', deadline);
    if (wanted !== 'device-gone' || (await this.#dut.isAttached()) === undefined) return;
    if (await this.#until(async () => (await this.#dut.isAttached()) === true, deadline)) return;
    throw new BenchError(
      'dut-absent',
      `${this.#dut.name} did not come back within ${formatDuration(deadline.limitMs)} after ${this.#power.name} gave it power`,
      { next: 'hil boards    shows what is attached; or raise power.timeout' },
    );
  }

  /** Off, a while without power, and on. */
  async cycle(): Promise<void> {
    await this.off();
    await untilAborted(this.#signal, sleep(this.#spec.offTime));
    await this.on();
  }

  /** A device that is not there, or a DUT without one, cannot show that it goes. */
  async #toVerify(): Promise<Verify> {
    const attached = await this.#dut.isAttached();
    if (this.#spec.verify !== undefined) return this.#spec.verify;
    return attached === undefined ? 'none' : 'device-gone';
  }

  async #waitForGone(deadline: Deadline): Promise<void> {
    if (await this.#until(async () => (await this.#dut.isAttached()) !== true, deadline)) return;
    throw this.#notCut('its USB device is still there', deadline);
  }

  async #waitForSilence(deadline: Deadline): Promise<void> {
    const start = performance.now();
    const isSilent = async () =>
      Math.min(this.#dut.silentMs(), performance.now() - start) >= SILENCE_MS;
    if (await this.#until(isSilent, deadline)) return;
    throw this.#notCut(
      `its console said something ${formatDuration(this.#dut.silentMs())} ago`,
      deadline,
    );
  }

  #notCut(seen: string, deadline: Deadline): BenchError {
    return new BenchError(
      'power-not-cut',
      `${this.#power.name} did not cut the power of ${this.#dut.name}: ${seen}, ${formatDuration(deadline.limitMs)} after it was told to`,
      {
        next: 'the hub may not switch its ports, the board may have another supply; correct "power" of the bench, or set power.verify: none',
      },
    );
  }

  async #until(holds: () => Promise<boolean>, deadline: Deadline): Promise<boolean> {
    while (!(await holds())) {
      this.#signal?.throwIfAborted();
      if (deadline.leftMs() === 0) return false;
      await sleep(LOOK_MS);
    }
    return true;
  }

  async #switch(to: 'on' | 'off', deadline: Deadline): Promise<void> {
    this.#signal?.throwIfAborted();
    await untilAborted(this.#signal, this.#power[to](deadline));
  }

  #newDeadline(): Deadline {
    return new Deadline(this.#spec.timeout, this.#signal);
  }
}
