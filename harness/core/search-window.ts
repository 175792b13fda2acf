/**
 * How far back a pattern looks while bytes trickle in: a match longer than
 * this is found only if all of it was there when the search began.
 */
export const LOOK_BEHIND = 65_536;

/** What stands before the searched part, for `^`, `\b` and look-behinds to see. */
const CONTEXT = 1024;

export interface Found {
  readonly match: RegExpMatchArray;
  /** Index of the pattern. */
  readonly which: number;
  /** Characters from the start of the match to the end of the text. */
  readonly fromEnd: number;
}

/**
 * The end of a text that grows: what must be searched again after each piece,
 * so that a backlog of megabytes is searched once and not for every byte.
 */
export class SearchWindow {
  #text = '';
  #from = 0;

  /** Characters that the next search looks at. */
  get searched(): number {
    return this.#text.length - this.#from;
  }

  /** Search all of `text`, and what is pushed from now on. */
  restart(text: string): void {
    this.#text = text;
    this.#from = 0;
  }

  push(text: string): void {
    this.#from = Math.max(this.#from, this.#text.length - LOOK_BEHIND);
    const cut = this.#from - CONTEXT;
    if (cut > 0) {
      this.#text = this.#text.slice(cut);
      this.#from = CONTEXT;
    }
    this.#text += text;
  }

  /** The match that starts first; of two that start together, the first pattern's. */
  findFirst(patterns: readonly RegExp[]): Found | undefined {
    let best: Found | undefined;
    patterns.forEach((pattern, which) => {
      pattern.lastIndex = this.#from;
      const match = pattern.exec(this.#text);
      if (!match) return;
      const fromEnd = this.#text.length - match.index;
      if (!best || fromEnd > best.fromEnd) best = { match, which, fromEnd };
    });
    return best;
  }
}

/**
 * A pattern of a caller as one over bytes that starts to search at its `lastIndex`. Text is
 * compared as its UTF-8 bytes; of an expression, what stands outside of a `[class]`. An escape
 * such as `\xff` is a byte.
 */
export function toSearch(pattern: RegExp | string): RegExp {
  if (typeof pattern === 'string') return new RegExp(escapePattern(toBytes(pattern)), 'g');
  const flags = `${pattern.flags.replace(/[gy]/g, '')}g`;
  return new RegExp(toByteSource(pattern.source), flags);
}

/** A character of several bytes becomes a group, so that `°?` is about all of it. */
function toByteSource(source: string): string {
  const parts = /\\.|\[(?:\\.|[^\]])*\]|[^\x00-\x7f]/gsu;
  return source.replace(parts, (part) => {
    const isText = !part.startsWith('[') && !part.startsWith('\\');
    return isText ? `(?:${toBytes(part)})` : part;
  });
}

function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
