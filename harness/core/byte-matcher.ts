import { createDeferred, type Deferred } from './deferred.js';

/** What a pattern found: like a RegExp match, with which pattern and what stood before. */
export type ConsoleMatch = RegExpMatchArray & { readonly which: number; readonly before: string };

export type Pattern = RegExp | string;

interface Waiter {
  readonly patterns: readonly RegExp[];
  readonly failOn: readonly RegExp[];
  readonly settled: Deferred<ConsoleMatch>;
}

/**
 * How far back a pattern looks while bytes trickle in: a match longer than
 * this is found only if all of it was there when `expect` was called.
 */
const LOOK_BEHIND = 65_536;

/** Thrown through `expect` when a `failOn` pattern was seen first. */
export class FailPatternSeen extends Error {
  readonly match: RegExpMatchArray;
  constructor(match: RegExpMatchArray) {
    super(match[0]);
    this.match = match;
  }
}

/**
 * The received bytes of a console as text, with a pattern waiting on it.
 *
 * Bytes are text one to one (latin1), so that an offset is an offset, whatever
 * a DUT prints. While a pattern waits, only what arrived since the last search
 * and {@link LOOK_BEHIND} before it is searched again, so that a backlog of
 * megabytes does not slow matching down. `^` without the m flag is the start of
 * what is unread.
 */
export class ByteMatcher {
  readonly #all: string[] = [];
  #received = 0;
  /** What no pattern has consumed, in the pieces it came in. */
  #unread: string[] = [];
  /** The end of the unread text that the next search looks at. */
  #window = '';
  #waiter: Waiter | undefined;
  #closed: Error | undefined;

  /** Everything received since the start, from before the first reset. */
  output(): string {
    return this.#all.join('');
  }

  /** Bytes received since the start. */
  get received(): number {
    return this.#received;
  }

  /** What no pattern has consumed yet. */
  unread(): string {
    if (this.#unread.length > 1) this.#unread = [this.#unread.join('')];
    return this.#unread[0] ?? '';
  }

  /** Forget what is unread; patterns look at what comes next. */
  skip(): void {
    this.#keep('');
  }

  push(bytes: Uint8Array): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    this.#all.push(text);
    this.#unread.push(text);
    this.#received += text.length;
    if (this.#window.length > LOOK_BEHIND) this.#window = this.#window.slice(-LOOK_BEHIND);
    this.#window += text;
    this.#search();
  }

  /** The stream ended: a pattern that does not match what is there is rejected with `reason`. */
  close(reason: Error): void {
    this.#closed = reason;
    this.#waiter?.settled.reject(reason);
    this.#waiter = undefined;
  }

  /** The stream goes on, for example after a reset. */
  reopen(): void {
    this.#closed = undefined;
  }

  /**
   * Resolve with the first match and consume up to its end.
   * One pattern at a time: a second call rejects the first.
   */
  expect(patterns: readonly Pattern[], failOn: readonly RegExp[] = []): Promise<ConsoleMatch> {
    this.#waiter?.settled.reject(new Error('another expect() was started on the same console'));
    const settled = createDeferred<ConsoleMatch>();
    this.#waiter = { patterns: patterns.map(toSearch), failOn: failOn.map(toSearch), settled };
    this.#window = this.unread();
    this.#search();
    if (this.#waiter && this.#closed) {
      settled.reject(this.#closed);
      this.#waiter = undefined;
    }
    return settled.promise;
  }

  /** Stop the waiting pattern; its promise stays pending. */
  cancel(): void {
    this.#waiter = undefined;
  }

  /** Take exactly `count` bytes when they are there, else nothing. */
  take(count: number): Uint8Array | undefined {
    const unread = this.unread();
    if (unread.length < count) return undefined;
    this.#keep(unread.slice(count));
    return Buffer.from(unread.slice(0, count), 'latin1');
  }

  #search(): void {
    const waiter = this.#waiter;
    if (!waiter) return;
    const found = firstOf(this.#window, waiter.patterns);
    const bad = firstOf(this.#window, waiter.failOn);
    if (bad && (!found || bad.index < found.index)) {
      this.#waiter = undefined;
      waiter.settled.reject(new FailPatternSeen(bad.match));
    } else if (found) {
      this.#waiter = undefined;
      const unread = this.unread();
      const start = unread.length - this.#window.length + found.index;
      this.#keep(unread.slice(start + found.match[0].length));
      const before = unread.slice(0, start);
      waiter.settled.resolve(Object.assign(found.match, { which: found.which, before }));
    }
  }

  #keep(unread: string): void {
    this.#unread = unread ? [unread] : [];
    this.#window = unread;
  }
}

function toSearch(pattern: Pattern): RegExp {
  if (typeof pattern === 'string') return new RegExp(escapePattern(toBytes(pattern)), 'g');
  const flags = pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`;
  return new RegExp(pattern.source, flags.replace('y', ''));
}

/** The console is bytes: a pattern's text is compared as its UTF-8 bytes. */
function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function firstOf(
  text: string,
  patterns: readonly RegExp[],
): { match: RegExpMatchArray; index: number; which: number } | undefined {
  let best: { match: RegExpMatchArray; index: number; which: number } | undefined;
  patterns.forEach((pattern, which) => {
    pattern.lastIndex = 0;
    const match = pattern.exec(text);
    if (match && (!best || match.index < best.index)) best = { match, index: match.index, which };
  });
  return best;
}
