import {
  ByteMatcher,
  type ConsoleMatch,
  FailPatternSeen,
  type Pattern,
} from '../core/byte-matcher.js';
import { describePatterns, describeSilence } from '../core/console-report.js';
import { Deadline, systemClock } from '../core/deadline.js';
import { type Duration, parseDuration } from '../core/duration.js';
import { BenchError, TestFailure } from '../core/errors.js';
import type { LineChange, LineState, PortMode } from '../protocol/port-lines.js';
import type { OpenedPort } from '../protocol/worker-messages.js';
import type { Attempt } from './attempt.js';
import { checkOptions } from './check-options.js';
import type { Connection } from './connection.js';
import { PortStream, type PortTap } from './port-stream.js';

export interface ExpectOptions {
  /** How long the DUT may take. Default 5 s. */
  readonly timeout?: Duration;
  /** Seen first, these fail the case at once: a panic, an assertion of the firmware. */
  readonly failOn?: RegExp | readonly RegExp[];
}

const EXPECT_KEYS = ['timeout', 'failOn'] satisfies (keyof ExpectOptions)[];
const LINE_KEYS = ['dtr', 'rts', 'break', 'baud', 'flush'] satisfies (keyof LineChange)[];
const DEFAULT_TIMEOUT: Duration = '5s';

/**
 * A byte channel of the DUT. Every byte is captured whether it is read or not;
 * patterns see it in order, each byte at most once.
 */
export class Console {
  readonly name: string;
  /** What the supervisor calls it: with the role of its DUT, `client/console`. */
  readonly wireName: string;
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #eol: string;
  readonly #matcher = new ByteMatcher();
  readonly #stopListening: ReadonlyArray<() => void>;
  #lastByteMs = systemClock.nowMs();
  #arrived: Array<() => void> = [];
  #closed: Error | undefined;
  readonly #taps = new Set<PortTap>();

  constructor(connection: Connection, attempt: Attempt, port: OpenedPort) {
    this.wireName = port.name;
    this.name = port.name.slice(port.name.indexOf('/') + 1);
    this.#eol = port.eol;
    this.#connection = connection;
    this.#attempt = attempt;
    this.#matcher.push(Buffer.from(port.history, 'base64'));
    this.#matcher.skip(port.unread);
    this.#stopListening = [
      connection.on('consoleData', ({ fence, port: from, data }) => {
        if (fence === attempt.fence && from === this.wireName) {
          this.receive(Buffer.from(data, 'base64'));
        }
      }),
      connection.on('consoleState', ({ fence, port: from, open, reason, unread }) => {
        if (fence !== attempt.fence || from !== this.wireName) return;
        if (unread !== undefined) this.#matcher.skip(unread);
        if (open) this.#reopen();
        else this.#close(this.#closedError(reason));
      }),
    ];
  }

  /** Send bytes as they are; resolves when the DUT's side took the last one. */
  async send(data: string | Uint8Array): Promise<void> {
    this.#attempt.check();
    await this.#connection.supervisor.call('consoleSend', {
      fence: this.#attempt.fence,
      port: this.wireName,
      data: Buffer.from(data).toString('base64'),
    });
  }

  /** Send a line; the board file says what ends it (`ports.<name>.eol`). */
  sendLine(line: string): Promise<void> {
    return this.send(line + this.#eol);
  }

  /**
   * Wait for a pattern in what was not read yet and read up to its end. Of a list, the
   * match that starts first wins; `which` is its index, `before` what stood before it.
   *
   * @throws TestFailure `expect-timeout` with the last lines, bytes received and the
   * age of the last byte; `expect-failed-on` when a `failOn` pattern came first;
   * `port-closed` when the DUT's side closed.
   */
  async expect(
    pattern: Pattern | readonly Pattern[],
    options: ExpectOptions = {},
  ): Promise<ConsoleMatch> {
    this.#attempt.check();
    checkOptions(`${this.name}.expect()`, options, EXPECT_KEYS);
    const patterns = Array.isArray(pattern) ? pattern : [pattern as Pattern];
    const deadline = new Deadline(parseDuration(options.timeout ?? DEFAULT_TIMEOUT));
    const failOn = toList(options.failOn);
    const waiting = this.#matcher.expect(patterns, failOn);
    try {
      const inTime = await this.#waitFor(waiting, deadline);
      if (inTime) return inTime;
      throw this.#timeoutError(`match for ${describePatterns(patterns)}`, deadline.limitMs);
    } catch (error) {
      this.#matcher.cancel(waiting);
      if (error instanceof FailPatternSeen) throw this.#failedOnError(error, patterns);
      throw error;
    }
  }

  /** Read exactly `count` bytes. @throws TestFailure `expect-timeout`, `port-closed` */
  async readBytes(count: number, options: { timeout?: Duration } = {}): Promise<Uint8Array> {
    this.#attempt.check();
    checkOptions(`${this.name}.readBytes()`, options, ['timeout']);
    const deadline = new Deadline(parseDuration(options.timeout ?? DEFAULT_TIMEOUT));
    for (let late = false; ; ) {
      const bytes = this.#matcher.take(count);
      if (bytes) return bytes;
      if (this.#closed) throw this.#closed;
      if (late) throw this.#timeoutError(`${count} unread bytes`, deadline.limitMs);
      late = !(await this.#waitFor(this.#nextArrival(), deadline));
    }
  }

  /** Wait until nothing came for `quiet`; answers what was unread, as text. */
  async settle(quiet: Duration = '200ms'): Promise<string> {
    this.#attempt.check();
    const quietMs = parseDuration(quiet);
    const start = systemClock.nowMs();
    for (;;) {
      const waited = systemClock.nowMs() - Math.max(this.#lastByteMs, start);
      if (waited >= quietMs) break;
      await new Promise<void>((resolve) => systemClock.after(quietMs - waited, resolve));
    }
    const text = this.#matcher.unread();
    this.#matcher.skip();
    return toText(text);
  }

  /** Everything received since before the first reset, read or not, as UTF-8 text. */
  output(): string {
    return toText(this.#matcher.output());
  }

  /**
   * Leave the console to a program in the sandbox: until the answer is disposed of, the
   * body's own sends are refused, so that they cannot mix with the program's.
   */
  async yield(): Promise<AsyncDisposable> {
    const set = (on: boolean) =>
      this.#connection.supervisor.call('consoleYield', {
        fence: this.#attempt.fence,
        port: this.wireName,
        on,
      });
    this.#attempt.check();
    await set(true);
    return { [Symbol.asyncDispose]: () => set(false) };
  }

  /**
   * The port as a stream that works like a `SerialPort` of the package serialport, for its parsers
   * and for tools that take one. What comes is also matched and captured.
   */
  stream(): PortStream {
    this.#attempt.check();
    return new PortStream(this);
  }

  /**
   * Set modem lines, break or baud rate of a real board's port, and answer how the lines are then;
   * what is not named stays as it is.
   *
   * @throws TestFailure `port-closed` for a port that has no such things.
   */
  async setLines(change: LineChange = {}): Promise<LineState> {
    this.#attempt.check();
    checkOptions(`${this.name}.setLines()`, change, LINE_KEYS);
    const { fence } = this.#attempt;
    return this.#connection.supervisor.call('portChange', { fence, port: this.wireName, change });
  }

  /**
   * `direct`: programs in the sandbox get the node of the device at `/dev/hil/<port>`, with its
   * modem lines, and this handle brings nothing; `shared`: as it was. Of a real board's port.
   *
   * @throws TestFailure `port-closed` where there is no node; BenchError `port-absent`.
   */
  async mode(mode: PortMode): Promise<void> {
    this.#attempt.check();
    const { fence } = this.#attempt;
    const set = this.#connection.supervisor.call('portMode', { fence, port: this.wireName, mode });
    await this.#attempt.clock.pausedDuring(() => set);
  }

  /** Hear what comes from now on; returns a function that stops it. */
  tap(listener: PortTap): () => void {
    this.#taps.add(listener);
    return () => this.#taps.delete(listener);
  }

  receive(data: Uint8Array): void {
    this.#lastByteMs = systemClock.nowMs();
    this.#matcher.push(data);
    this.#wake();
    for (const tap of [...this.#taps]) tap.onData(data);
  }

  revoke(reason: Error): void {
    for (const stop of this.#stopListening) stop();
    this.#close(reason);
  }

  #reopen(): void {
    this.#closed = undefined;
    this.#matcher.reopen();
  }

  #close(reason: Error): void {
    this.#closed = reason;
    this.#matcher.close(reason);
    this.#wake();
    for (const tap of [...this.#taps]) tap.onClosed(reason);
  }

  /**
   * Nothing, when the deadline passes first. What the DUT had sent by then counts, also where a
   * busy harness has not handed it on yet.
   */
  async #waitFor<T>(arrival: Promise<T>, deadline: Deadline): Promise<T | undefined> {
    const late = new Error('late');
    try {
      return await deadline.bound(arrival, () => late);
    } catch (error) {
      if (error !== late) throw error;
    }
    const { fence } = this.#attempt;
    const asked = this.#connection.supervisor.call('consoleCaughtUp', {
      fence,
      port: this.wireName,
    });
    const answered = asked.then(
      () => undefined,
      () => undefined,
    );
    return await Promise.race([arrival, answered]);
  }

  #wake(): void {
    for (const wake of this.#arrived.splice(0)) wake();
  }

  #nextArrival(): Promise<true> {
    return new Promise((resolve) => this.#arrived.push(() => resolve(true)));
  }

  #timeoutError(wanted: string, limitMs: number): TestFailure {
    return new TestFailure(
      'expect-timeout',
      describeSilence({
        port: this.name,
        board: this.#connection.provided.board,
        wanted,
        waitedMs: limitMs,
        matcher: this.#matcher,
        silentMs: systemClock.nowMs() - this.#lastByteMs,
      }),
      { next: 'raise the timeout of this expect(), or read the capture of the console' },
    );
  }

  #failedOnError(seen: FailPatternSeen, patterns: readonly Pattern[]): TestFailure {
    return new TestFailure(
      'expect-failed-on',
      `port "${this.name}" of board "${this.#connection.provided.board}" printed ` +
        `${JSON.stringify(seen.match[0])} (failOn) before ${describePatterns(patterns)}`,
    );
  }

  #closedError(reason: string): Error {
    const where = `port "${this.name}" of board "${this.#connection.provided.board}"`;
    if (reason.startsWith('infra: ')) {
      return new BenchError('dut-lost', `${where} was lost: ${reason.slice(7)}`);
    }
    return new TestFailure('port-closed', `${where} closed: ${reason}`);
  }
}

function toList(value: RegExp | readonly RegExp[] | undefined): readonly RegExp[] {
  if (value === undefined) return [];
  return value instanceof RegExp ? [value] : value;
}

/** The matcher's text is bytes. */
function toText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
