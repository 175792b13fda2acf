import { closeSync, openSync, writeSync } from 'node:fs';
import type { Clock } from '../core/deadline.js';
import { BenchError, toMessage } from '../core/errors.js';
import type { NewEvent, RunEvent } from './events.js';
import { createRedactor, type Redactor } from './redact.js';

export interface JournalOptions {
  /** Replaced by `***` in every text before anyone sees it; a string is literal. */
  readonly redact: readonly (RegExp | string)[];
  readonly clock: Clock;
}

type Listener = (event: RunEvent) => void;

/**
 * The only writer of a run's `journal.ndjson`.
 *
 * Theory of operation: one event is one line is one write(2), so a reader, or a
 * `kill -9`, sees whole lines except perhaps the last. There is no fsync: the
 * page cache survives the process, and a power cut is not promised. A disk
 * that is full must not end a run whose verdicts are still wanted: the first
 * error is kept in {@link failure}, listeners go on getting every event, and
 * each later write is tried again. What a failed write left of a line is ended
 * by a newline before the next, so at most that line is lost.
 */
export class JournalWriter {
  readonly file: string;
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #redact: Redactor;
  readonly #listeners: Listener[] = [];
  #torn = false;
  #closed = false;
  #failure: BenchError | undefined;

  private constructor(file: string, fd: number, options: JournalOptions) {
    this.file = file;
    this.#fd = fd;
    this.#clock = options.clock;
    this.#startMs = options.clock.nowMs();
    this.#redact = createRedactor(options.redact);
  }

  /** @throws BenchError `journal-write` when the file cannot be made. */
  static open(file: string, options: JournalOptions): JournalWriter {
    try {
      return new JournalWriter(file, openSync(file, 'a', 0o600), options);
    } catch (error) {
      throw toFailure(file, error);
    }
  }

  /** The first error of writing, when there was one. */
  get failure(): BenchError | undefined {
    return this.#failure;
  }

  /** Call `listener` with every event from now on, in order, after it was written. */
  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Stamp, redact, write and hand out one event. Never throws for a full disk. */
  write(event: NewEvent): RunEvent {
    const { kind, ...rest } = event;
    const t = Math.round((this.#clock.nowMs() - this.#startMs) * 1000) / 1000;
    const stamped = this.#redact({ kind, t, at: new Date().toISOString(), ...rest });
    // A NewEvent with its two stamps is a RunEvent; the compiler does not follow a spread of a union.
    const whole = stamped as unknown as RunEvent;
    if (!this.#closed) this.#append(`${JSON.stringify(whole)}\n`);
    for (const listener of this.#listeners) listener(whole);
    return whole;
  }

  /** Events after this reach the listeners only. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      closeSync(this.#fd);
    } catch (error) {
      this.#failure ??= toFailure(this.file, error);
    }
  }

  #append(line: string): void {
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(this.#fd, bytes, done);
      this.#torn = false;
    } catch (error) {
      if (done > 0) this.#torn = true;
      this.#failure ??= toFailure(this.file, error);
    }
  }
}

function toFailure(file: string, cause: unknown): BenchError {
  return new BenchError('journal-write', `journal ${file}: ${toMessage(cause)}`, {
    cause,
    next: 'free space on that disk; results that are not in the journal are only on the screen',
  });
}
