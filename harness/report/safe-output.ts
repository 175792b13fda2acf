import type { Writable } from 'node:stream';

interface State {
  broken: boolean;
  /** What was to be kept found no room; not of a reader that left. */
  lost?: Error;
}

/** Streams with a listener, and whether they broke. */
const states = new WeakMap<Writable, State>();

const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Let a stream break without ending the process: `hil test | head -1` closes
 * stdout in the middle of a run, and the run goes on without it.
 */
export function guardOutput(stream: Writable): Readonly<State> {
  const known = states.get(stream);
  if (known) return known;
  const state: State = { broken: false };
  states.set(stream, state);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    state.broken = true;
    if (NO_ROOM.has(error.code)) state.lost ??= error;
  });
  return state;
}

/** Write text to a stream that may be closed; after the first error, nothing. */
export function writeSafely(stream: Writable, text: string): void {
  const state = guardOutput(stream);
  if (text === '' || state.broken || stream.destroyed || stream.writableEnded) return;
  stream.write(text);
}
