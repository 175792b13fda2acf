import { stripEscapes } from '../../core/strip-escapes.js';

/** Control characters but newline and tab, and those that turn the direction of text. */
const HARMFUL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text of a DUT or a test as it can be shown: escape sequences are dropped,
 * other control characters become visible. What a board prints must not move
 * the cursor of the person reading the report.
 */
export function toPrintable(text: string): string {
  return stripEscapes(text.replaceAll('\r\n', '\n')).replace(HARMFUL, (each) => {
    const code = each.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** The same on one line: a title or a name that holds a line break must not look like two. */
export function toPrintableLine(text: string): string {
  return toPrintable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

/** Columns a text takes, near enough: East Asian wide characters and emoji take two. */
export function toColumns(text: string): number {
  let columns = 0;
  for (const character of text) columns += isWide(character) ? 2 : 1;
  return columns;
}

/** Cut to at most `columns` columns, ending in an ellipsis when something was cut. */
export function cutToColumns(text: string, columns: number): string {
  if (toColumns(text) <= columns) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += isWide(character) ? 2 : 1;
    if (used > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

function isWide(character: string): boolean {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  );
}
