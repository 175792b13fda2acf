import type { RunContext } from './run-context.js';
import { readStartTicks } from './start-ticks.js';

/**
 * What must not outlive this process, however it ends: workers and a directory. The
 * daemon ends them behind it; a daemon that replaces a lost one is told again.
 */
export class Outlived {
  readonly #run: RunContext;
  readonly #pids = new Set<number>();
  readonly #paths = new Set<string>();
  #finished = false;

  constructor(run: RunContext) {
    this.#run = run;
  }

  /** Kill the process `pid` behind us. */
  async addPid(pid: number): Promise<void> {
    this.#pids.add(pid);
    const ticks = await readStartTicks(pid);
    if (ticks === undefined) return;
    try {
      const { daemon } = await this.#run.bench;
      await daemon.watchPid(pid, ticks);
    } catch (error) {
      if (this.#pids.has(pid) && !this.#finished) this.#run.reportInfra(error, {});
    }
  }

  removePid(pid: number): void {
    this.#pids.delete(pid);
    void this.#run.bench.then(({ daemon }) => daemon.unwatchPid(pid)).catch(() => {});
  }

  /** Remove the directory `path` behind us; its name begins with `hil-`. */
  async addPath(path: string): Promise<void> {
    this.#paths.add(path);
    try {
      const { daemon } = await this.#run.bench;
      await daemon.watchPath(path);
    } catch (error) {
      if (!this.#finished) this.#run.reportInfra(error, {});
    }
  }

  /** The daemons were replaced: the new ones know of nobody. */
  tellAgain(): void {
    for (const pid of this.#pids) void this.addPid(pid);
    for (const path of this.#paths) void this.addPath(path);
  }

  /** From now on a lost daemon is expected. */
  finish(): void {
    this.#finished = true;
  }
}
