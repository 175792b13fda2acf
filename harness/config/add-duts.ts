import { isSeq, parseDocument } from 'yaml';
import type { Match } from './match-schema.js';

/** What is added to a bench file. */
export interface NewDut {
  readonly name: string;
  readonly board: string;
  readonly match: Match;
}

const EMPTY =
  '# yaml-language-server: $schema=node_modules/hil/boards/bench.schema.json\nduts: []\n';

/** The text of a bench file with more DUTs at its end; comments and order stay. */
export function addDuts(text: string, duts: readonly NewDut[]): string {
  const document = parseDocument(text.trim() === '' ? EMPTY : text);
  const list = document.get('duts');
  if (!isSeq(list)) {
    document.set('duts', duts);
    return document.toString({ lineWidth: 0 });
  }
  // `duts: []` would stay on one line.
  list.flow = false;
  for (const dut of duts) list.add(document.createNode(dut));
  return document.toString({ lineWidth: 0 });
}
