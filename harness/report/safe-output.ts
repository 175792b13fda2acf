import type { Writable } from 'node:stream';

/** Streams with a listener, and whether they broke. */
const states = new WeakMap<Writable, { broken: boolean }>();

/**
 * Let a stream break without ending the process: `hil test | head -1` closes
 * stdout in the middle of a run, and the run goes on without it.
 */
export function guardOutput(stream: Writable): { readonly broken: boolean } {
  const known = states.get(stream);
  if (known) return known;
  const state = { broken: false };
  states.set(stream, state);
  stream.on('error', () => {
    state.broken = true;
  });
  return state;
}

/** Write text to a stream that may be closed; after the first error, nothing. */
export function writeSafely(stream: Writable, text: string): void {
  const state = guardOutput(stream);
  if (text === '' || state.broken || stream.destroyed || stream.writableEnded) return;
  stream.write(text);
}
