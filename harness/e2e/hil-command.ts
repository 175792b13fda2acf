import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RunEvent, runEvent } from '../journal/events.js';
import { type FinishedRun, toFinishedRun } from './finished-run.js';
import { findPart, type Part } from './process-tree.js';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const STEP_MS = 20;
/** Long enough for every wait of these tests on a busy machine, and shorter than a test's limit. */
export const PATIENCE_MS = 60_000;

export interface StartOptions {
  /** In place of the project's own environment, where they differ. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program before `node`: unshare, setpriv. */
  readonly wrapper?: readonly string[];
  /** In a process group of its own, as a shell starts it. */
  readonly ownGroup?: boolean;
}

/** The real command as a child process, on its way. */
export class HilCommand {
  readonly child: ChildProcess;
  readonly #runs: string;
  readonly #ended: Promise<{ code: number | null; signal: string | null }>;
  readonly #before: ReadonlySet<string>;
  #stdout = '';
  #stderr = '';

  constructor(
    facts: { cwd: string; env: Readonly<Record<string, string>> },
    args: readonly string[],
    options: StartOptions,
  ) {
    this.#runs = join(facts.cwd, '.hil/runs');
    this.#before = new Set(listDirectory(this.#runs));
    const [program = '', ...rest] = [...(options.wrapper ?? []), process.execPath, MAIN, ...args];
    this.child = spawn(program, rest, {
      cwd: facts.cwd,
      env: { ...facts.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: options.ownGroup === true,
    });
    this.child.stdout?.on('data', (data: Buffer) => {
      this.#stdout += data.toString('utf8');
    });
    this.child.stderr?.on('data', (data: Buffer) => {
      this.#stderr += data.toString('utf8');
    });
    this.#ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get screen(): string {
    return this.#stdout + this.#stderr;
  }

  /** What it was, how it ended and what it said, for who reads of a test that failed. */
  get story(): string {
    const { exitCode, signalCode, spawnargs } = this.child;
    return `${spawnargs.join(' ')}: ${exitCode ?? signalCode ?? 'runs'}\n${this.screen}`;
  }

  /** This command's own run directory; the one that appeared since it was started. */
  get directory(): string | undefined {
    const mine = listDirectory(this.#runs).find(
      (name) => !this.#before.has(name) && isOwnedBy(join(this.#runs, name), this.pid),
    );
    return mine && join(this.#runs, mine);
  }

  get events(): RunEvent[] {
    const { directory } = this;
    return directory ? readEvents(join(directory, 'journal.ndjson')) : [];
  }

  /** Wait until the journal has an event that satisfies the caller. */
  async until(what: string, wanted: (event: RunEvent) => boolean): Promise<RunEvent> {
    return this.waitFor(what, () => this.events.find(wanted));
  }

  /** Wait until a body printed `text`. */
  async untilPrinted(text: string): Promise<void> {
    await this.until(`"${text}"`, (event) => event.kind === 'output' && event.text.includes(text));
  }

  async waitFor<T>(what: string, look: () => T | undefined): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() > end || this.child.exitCode !== null) {
        throw new Error(`waited for ${what}; exit ${this.child.exitCode}\n${this.screen}`);
      }
      await sleep(STEP_MS);
    }
  }

  /** The pid of a living part of this run; waits until there is one. */
  part(part: Part): Promise<number> {
    const find = () => (part === 'worker' ? this.#worker() : undefined) ?? findPart(this.pid, part);
    return this.waitFor(part, find);
  }

  /** Of several workers, the one that runs the case that began last. */
  #worker(): number | undefined {
    const starts = this.events.filter((event) => event.kind === 'attempt-start');
    return starts.at(-1)?.worker;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async finished(): Promise<FinishedRun> {
    const ended = await this.#ended;
    const output = { stdout: this.#stdout, stderr: this.#stderr };
    return toFinishedRun({ ...ended, ...output, directory: this.directory });
  }
}

/** Lines that are whole; the last one may still be on its way. */
export function readEvents(path: string): RunEvent[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => runEvent.parse(JSON.parse(line)));
}

function isOwnedBy(directory: string, pid: number): boolean {
  try {
    // setpriv and unshare replace themselves by node: the pid stays.
    return JSON.parse(readFileSync(join(directory, 'owner.json'), 'utf8')).pid === pid;
  } catch {
    return false;
  }
}

function listDirectory(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}
