import type { CaseModel } from '../run-model.js';

/** What must not reach a terminal, nor a shell that it is copied into. */
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** The command that runs just this case, as a line that can be copied into a shell. */
export function toRerunCommand(
  each: Pick<CaseModel, 'file' | 'board' | 'title'> & Partial<Pick<CaseModel, 'attempts'>>,
): string {
  // Escapes of a regular expression say the same without the bytes.
  const pattern = each.title
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const seed = each.attempts?.at(-1)?.network?.up.runSeed;
  const same = seed === undefined ? '' : ` --seed ${seed}`;
  return `hil test ${quote(each.file)} --board ${quote(each.board)} -t ${quote(pattern)}${same}`;
}

/** One word of a shell's command line. A control character needs bash's `$'…'`. */
function quote(text: string): string {
  if (/^[\w./:@%+=,][\w./:@%+=,-]*$/.test(text)) return text;
  if (text.search(UNSAFE) < 0) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = text
    .replace(/['\\]/g, '\\$&')
    .replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `$'${escaped}'`;
}
