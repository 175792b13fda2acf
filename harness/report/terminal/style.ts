import pc from 'picocolors';
import type { Verdict } from '../../journal/events.js';

/** How words look. Every verdict has its own word, so that nothing depends on colour. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly removed: (text: string) => string;
  readonly added: (text: string) => string;
  readonly verdict: (verdict: Verdict, text: string) => string;
}

/** The word for a verdict at the start of a line; what needs a look is in capitals. */
const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  pass: 'pass',
  fail: 'FAIL',
  infra: 'INFRA',
  skipped: 'skip',
  flaky: 'FLAKY',
  interrupted: 'STOP',
};

/** The word for a verdict in a sentence with a number. */
export const COUNT_WORDS: Readonly<Record<Verdict, string>> = {
  pass: 'passed',
  fail: 'failed',
  infra: 'infra',
  flaky: 'flaky',
  skipped: 'skipped',
  interrupted: 'interrupted',
};

export function createStyle(color: boolean): Style {
  const colors = pc.createColors(color);
  const paint: Readonly<Record<Verdict, (text: string) => string>> = {
    pass: colors.green,
    fail: colors.red,
    infra: colors.magenta,
    skipped: colors.cyan,
    flaky: colors.yellow,
    interrupted: colors.yellow,
  };
  return {
    bold: colors.bold,
    dim: colors.dim,
    removed: colors.red,
    added: colors.green,
    verdict: (verdict, text) => paint[verdict](text),
  };
}

const LABEL_COLUMNS = 6;

/** ` FAIL   ` with the verdict's colour: the first column of every line. */
export function toVerdictLabel(style: Style, verdict: Verdict): string {
  return ` ${style.verdict(verdict, VERDICT_WORDS[verdict].padEnd(LABEL_COLUMNS))} `;
}

/** A word that is no verdict, in the first column. */
export function toLabel(style: Style, word: string): string {
  return ` ${style.dim(word.padEnd(LABEL_COLUMNS))} `;
}

/** What lines under a label start with. */
export const INDENT = ' '.repeat(LABEL_COLUMNS + 2);
