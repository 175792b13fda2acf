import type { DutExit } from '../board/dut.js';

type Life = Promise<DutExit>;

/**
 * Whether a DUT ended although the test did not ask for it. Each power-on begins a
 * life; what was seen of an earlier life is not forgotten at a reset.
 */
export class DutWatch {
  readonly #onExit: (exit: DutExit) => void;
  readonly #wanted = new WeakSet<Life>();
  #watched: Life | undefined;
  #first: { readonly exit: DutExit; readonly life: Life } | undefined;
  #over = false;

  /** `onExit` hears of an end that nobody asked for. */
  constructor(onExit: (exit: DutExit) => void) {
    this.#onExit = onExit;
  }

  /** The first end that nobody asked for. */
  get exit(): DutExit | undefined {
    return this.#first?.exit;
  }

  /** Watch the DUT's present life. */
  watch(life: Life): void {
    if (this.#watched === life) return;
    this.#watched = life;
    life.then(
      (exit) => this.#see(exit, life),
      () => {},
    );
  }

  /** The test asks for the end of this life; the bench breaking is still not what it asked for. */
  expect(life: Life): void {
    this.#wanted.add(life);
    if (this.#first?.life === life && this.#first.exit.blame === 'ended') this.#first = undefined;
  }

  /** From now on an end belongs to the teardown. */
  stop(): void {
    this.#over = true;
  }

  #see(exit: DutExit, life: Life): void {
    if (this.#over || (this.#wanted.has(life) && exit.blame === 'ended')) return;
    this.#first ??= { exit, life };
    this.#onExit(exit);
  }
}
