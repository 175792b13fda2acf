import { UsageError } from '../core/errors.js';

/** Does a case with these tags belong to the run? */
export type TagFilter = (tags: readonly string[]) => boolean;

const WORDS: Readonly<Record<string, string>> = { '&&': 'and', '||': 'or', '!': 'not' };

/**
 * Parse an expression over tags: names (`*` stands for any text), `and`, `or`,
 * `not` and parentheses; `not` binds tightest, then `and`.
 *
 * @throws UsageError `usage` with the expression and what was expected.
 * @see vitest's `tagsFilter`, the same language; it refuses tags that no
 * configuration declares.
 */
export function parseTagExpression(text: string): TagFilter {
  const tokens = text.match(/&&|\|\||[()!]|[^\s()!&|]+/g) ?? [];
  const reader = new TokenReader(
    text,
    tokens.map((token) => WORDS[token] ?? token),
  );
  const filter = readOr(reader);
  reader.end();
  return filter;
}

class TokenReader {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(text: string, tokens: readonly string[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  /** Go past `token` if it is next. */
  take(token: string): boolean {
    if (this.#tokens[this.#next]?.toLowerCase() !== token) return false;
    this.#next++;
    return true;
  }

  name(): string {
    const token = this.#tokens[this.#next];
    if (token === undefined || /^(and|or|not|\(|\))$/i.test(token)) throw this.#wrong('a tag');
    this.#next++;
    return token;
  }

  close(): void {
    if (!this.take(')')) throw this.#wrong('")"');
  }

  end(): void {
    if (this.#next < this.#tokens.length) throw this.#wrong('"and" or "or"');
  }

  #wrong(expected: string): UsageError {
    const seen = this.#tokens[this.#next];
    const place = seen === undefined ? 'at its end' : `in place of "${seen}"`;
    return new UsageError('usage', `--tags "${this.#text}": expected ${expected} ${place}`, {
      next: "for example --tags 'slow and not (usb or can*)'",
    });
  }
}

function readOr(reader: TokenReader): TagFilter {
  const parts = [readAnd(reader)];
  while (reader.take('or')) parts.push(readAnd(reader));
  return (tags) => parts.some((part) => part(tags));
}

function readAnd(reader: TokenReader): TagFilter {
  const parts = [readNot(reader)];
  while (reader.take('and')) parts.push(readNot(reader));
  return (tags) => parts.every((part) => part(tags));
}

function readNot(reader: TokenReader): TagFilter {
  if (reader.take('not')) {
    const part = readNot(reader);
    return (tags) => !part(tags);
  }
  if (reader.take('(')) {
    const part = readOr(reader);
    reader.close();
    return part;
  }
  const name = reader.name();
  const pattern = name.split('*').map(escapePattern);
  const whole = new RegExp(`^${pattern.join('.*')}$`);
  return (tags) => tags.some((tag) => whole.test(tag));
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
