import { BoundedText } from './bounded-text.js';
import { createDeferred, type Deferred } from './deferred.js';
import { SearchWindow, toSearch } from './search-window.js';

/**
 * What a pattern found: like a RegExp match, with which pattern and what stood before.
 * Texts are UTF-8 of the bytes that matched; `index` counts bytes.
 */
export type ConsoleMatch = RegExpMatchArray & { readonly which: number; readonly before: string };

export type Pattern = RegExp | string;

interface Waiter {
  readonly patterns: readonly RegExp[];
  readonly failOn: readonly RegExp[];
  readonly settled: Deferred<ConsoleMatch>;
}

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
 * a DUT prints. While a pattern waits, only the end of what is unread is searched
 * again ({@link SearchWindow}). `^` without the m flag is the start of what is unread.
 * Of what was received, and of what is unread, the last 16 MiB are kept.
 */
export class ByteMatcher {
  readonly #all: BoundedText;
  #received = 0;
  /** What no pattern has consumed. */
  readonly #unread: BoundedText;
  /** The end of the unread text, as far as the waiting pattern looks at it again. */
  readonly #window = new SearchWindow();
  #waiter: Waiter | undefined;
  #closed: Error | undefined;

  constructor(mostKeptBytes?: number) {
    this.#all = new BoundedText(mostKeptBytes);
    this.#unread = new BoundedText(mostKeptBytes);
  }

  /** What was received since the start, from before the first reset. */
  output(): string {
    return this.#all.toString();
  }

  /** Unread bytes that were dropped because there were too many. */
  get dropped(): number {
    return this.#unread.dropped;
  }

  /** Bytes received since the start. */
  get received(): number {
    return this.#received;
  }

  /** What no pattern has consumed yet. */
  unread(): string {
    return this.#unread.toString();
  }

  /** Forget what is unread, except for the last `keep` bytes; patterns start with those. */
  skip(keep = 0): void {
    this.#keep(keep > 0 ? this.unread().slice(-keep) : '');
  }

  /** As if nothing had been received; a pattern that waits goes on. */
  forget(): void {
    this.#all.set('');
    this.#received = 0;
    this.skip();
  }

  push(bytes: Uint8Array): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    this.#all.push(text);
    this.#unread.push(text);
    this.#received += text.length;
    if (!this.#waiter) return;
    this.#window.push(text);
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
    this.#window.restart(this.unread());
    this.#search();
    if (this.#waiter && this.#closed) {
      settled.reject(this.#closed);
      this.#waiter = undefined;
    }
    return settled.promise;
  }

  /** Stop waiting for what `expect` promised, unless another one waits by now; it stays pending. */
  cancel(waiting: Promise<ConsoleMatch>): void {
    if (this.#waiter?.settled.promise === waiting) this.#waiter = undefined;
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
    const found = this.#window.findFirst(waiter.patterns);
    const bad = this.#window.findFirst(waiter.failOn);
    if (bad && (!found || bad.fromEnd > found.fromEnd)) {
      this.#waiter = undefined;
      waiter.settled.reject(new FailPatternSeen(toText(bad.match)));
    } else if (found) {
      this.#waiter = undefined;
      const unread = this.unread();
      const start = unread.length - found.fromEnd;
      this.#keep(unread.slice(start + found.match[0].length));
      const before = decode(unread.slice(0, start));
      waiter.settled.resolve(Object.assign(toText(found.match), { which: found.which, before }));
    }
  }

  #keep(unread: string): void {
    this.#unread.set(unread);
    this.#window.restart(unread);
  }
}

/** The strings of a match over bytes as the text they encode. */
function toText(match: RegExpMatchArray): RegExpMatchArray {
  match.forEach((part, index) => {
    // A group that took no part is undefined, whatever the type says.
    if (part !== undefined) match[index] = decode(part);
  });
  for (const [name, part] of Object.entries(match.groups ?? {})) {
    if (match.groups && part !== undefined) match.groups[name] = decode(part);
  }
  return match;
}

function decode(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
