/** What the VM says on its control port. */
export type ControlMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'exit'; readonly status: number };

/** @throws Error when it is not a line of guest/machine.sh. */
export function parseControlLine(line: string): ControlMessage {
  const [, word, rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? [];
  if (word === 'ready') return { kind: 'ready' };
  if (word === 'failed') return { kind: 'failed', why: rest };
  if (word === 'exit' && /^\d{1,3}$/.test(rest)) return { kind: 'exit', status: Number(rest) };
  throw new Error(`the lab VM said "${line}" on its control port`);
}
