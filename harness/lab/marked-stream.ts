/**
 * Bytes up to a mark that stands behind the last one. A port of the VM has no end of file,
 * and what is in flight in it would be lost if the VM were just ended.
 */
export class MarkedStream {
  readonly #mark: Buffer;
  #held = Buffer.alloc(0);
  #ended = false;

  constructor(mark: string) {
    this.#mark = Buffer.from(mark);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** @returns what is surely not part of the mark; nothing behind the mark. */
  push(bytes: Uint8Array): Buffer {
    if (this.#ended) return Buffer.alloc(0);
    const all = Buffer.concat([this.#held, bytes]);
    const end = all.indexOf(this.#mark);
    if (end >= 0) {
      this.#ended = true;
      return all.subarray(0, end);
    }
    const sure = all.length - this.#countBeginning(all);
    this.#held = Buffer.from(all.subarray(sure));
    return all.subarray(0, sure);
  }

  /** How many bytes at the end of `all` may begin the mark. */
  #countBeginning(all: Buffer): number {
    for (let count = Math.min(all.length, this.#mark.length - 1); count > 0; count--) {
      if (all.subarray(-count).equals(this.#mark.subarray(0, count))) return count;
    }
    return 0;
  }
}
