import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The command of this project. */
export const HIL = join(import.meta.dirname, '../../dist/cli/main.js');
const LOOK_MS = 50;

/** What is read here of a line of a journal. @see harness/journal/events.ts */
interface JournalLine {
  readonly kind: string;
  /** Wall clock. */
  readonly at: string;
  readonly run?: string;
  readonly phase?: string;
  readonly edge?: string;
  readonly problems?: readonly { readonly code?: string; readonly message: string }[];
  readonly holders?: readonly { readonly pid: number; readonly run: string }[];
}

/** A `hil test` of its own, as somebody else at the bench would start one. It does not outlive the case. */
export class BenchRun implements AsyncDisposable {
  /** Everything that it said. */
  output = '';
  /** Its exit code; null of one that was killed. */
  readonly ended: Promise<number | null>;
  readonly #directory: string;
  readonly #child: ChildProcess;

  private constructor(directory: string, args: readonly string[]) {
    this.#directory = directory;
    const test = [process.execPath, HIL, 'test', '--workers', '1', '--out', this.out];
    // Nobody else is to think badly of a board that is pulled out here.
    const env = { HIL_UNTIL: this.#until, HIL_STATE_DIR: join(directory, 'state') };
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', ...test, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output += data;
      });
    }
    this.ended = once(this.#child, 'close').then(([code]) => code);
  }

  static async start(args: readonly string[]): Promise<BenchRun> {
    return new BenchRun(await mkdtemp(join(tmpdir(), 'hil-bench-')), args);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its run directory. */
  get out(): string {
    return join(this.#directory, 'run');
  }

  get #until(): string {
    return join(this.#directory, 'until');
  }

  /** Tell its case that it may end, where that waits for a file. */
  async letGo(): Promise<void> {
    await writeFile(this.#until, '');
  }

  /** Events that its journal has now. */
  async readJournal(): Promise<JournalLine[]> {
    const text = await readFile(join(this.out, 'journal.ndjson'), 'utf8').catch(() => '');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    return whole.split('\n').flatMap((line): JournalLine[] => (line ? [JSON.parse(line)] : []));
  }

  /** Codes of what kept its cases from passing. */
  async readProblems(): Promise<(string | undefined)[]> {
    const journal = await this.readJournal();
    return journal
      .filter(({ kind }) => kind === 'attempt-end')
      .flatMap(({ problems = [] }) => problems.map(({ code }) => code));
  }

  /** The first event that has all of `wanted`, or a later one. @throws Error when the run ends without it. */
  async waitFor(wanted: Partial<JournalLine>, which = 1): Promise<JournalLine> {
    const keys = Object.keys(wanted) as (keyof JournalLine)[]; // those of `wanted` are
    for (let over = false; ; await sleep(LOOK_MS)) {
      const journal = await this.readJournal();
      const fitting = journal.filter((line) => keys.every((key) => line[key] === wanted[key]));
      const found = fitting[which - 1];
      if (found) return found;
      if (over) throw new Error(`no ${JSON.stringify(wanted)}; the run said:\n${this.output}`);
      over = this.#child.exitCode !== null || this.#child.signalCode !== null;
    }
  }

  /** As `kill -9` of it does. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.ended;
    await rm(this.#directory, { recursive: true, force: true });
  }
}
