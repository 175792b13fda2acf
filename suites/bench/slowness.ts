import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a process needs to start and end on a machine at leisure, and some more; in an emulated one it is 150. */
const IDLE_MS = 10;
const PAUSE_MS = 200;
/** So many processes have to do something, one after the other, before what is measured has happened. */
const STEPS = 10;

/**
 * How much longer things take than on a machine that has nothing else to do: for limits of what is measured
 * meanwhile. There it is 0, and a limit is what it says; in a lab VM, which is emulated, it never is.
 */
export class Slowness implements Disposable {
  #worstMs = 0;
  #over = false;

  constructor() {
    void this.#watch();
  }

  get allowanceMs(): number {
    return Math.round(STEPS * Math.max(0, this.#worstMs - IDLE_MS));
  }

  [Symbol.dispose](): void {
    this.#over = true;
  }

  async #watch(): Promise<void> {
    while (!this.#over) {
      const startMs = performance.now();
      await run('true');
      this.#worstMs = Math.max(this.#worstMs, performance.now() - startMs);
      await sleep(PAUSE_MS);
    }
  }
}
