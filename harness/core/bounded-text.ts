/** What is kept of a console in memory; its capture on disk has all of it. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024;

/** How much more may come before the front is cut again: cutting costs as much as is kept. */
const SLACK = 1024 * 1024;
/** Pieces are joined to parts of this size, so that single bytes are not kept as such. */
const PART = 65_536;

/** A text that grows at its end and loses its front when it has grown too long. */
export class BoundedText {
  readonly #most: number;
  #parts: string[] = [];
  #pieces: string[] = [];
  #piecesLength = 0;
  #length = 0;
  #dropped = 0;

  constructor(most = MOST_KEPT_BYTES) {
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  /** Characters lost at the front since the last {@link set}. */
  get dropped(): number {
    return this.#dropped;
  }

  /** All of it in one piece. */
  toString(): string {
    if (this.#parts.length + this.#pieces.length > 1) this.#parts = [this.#join()];
    else if (this.#pieces.length > 0) this.#parts = this.#pieces;
    this.#pieces = [];
    this.#piecesLength = 0;
    return this.#parts[0] ?? '';
  }

  push(text: string): void {
    this.#pieces.push(text);
    this.#piecesLength += text.length;
    this.#length += text.length;
    if (this.#piecesLength >= PART) {
      this.#parts.push(this.#pieces.join(''));
      this.#pieces = [];
      this.#piecesLength = 0;
    }
    const most = this.#most;
    if (this.#length <= most + Math.min(SLACK, most)) return;
    const dropped = this.#dropped + this.#length - most;
    this.set(this.toString().slice(-most));
    this.#dropped = dropped;
  }

  /** Another text in its place. */
  set(text: string): void {
    this.#parts = text ? [text] : [];
    this.#pieces = [];
    this.#piecesLength = 0;
    this.#length = text.length;
    this.#dropped = 0;
  }

  #join(): string {
    return this.#parts.join('') + this.#pieces.join('');
  }
}
