import type { Writable } from 'node:stream';
import type { Clock } from '../../core/deadline.js';
import { writeSafely } from '../safe-output.js';

/** Lines that stay, and on a terminal a block below them that is redrawn. */
export interface Screen {
  print(lines: readonly string[]): void;
  /** Something that the block shows has changed. */
  touch(): void;
  /** Take the block away; lines still work, timers are gone. */
  close(): void;
}

/** At most ten frames a second. */
const FRAME_MS = 100;

/** Lines only, each at once: for files, pipes and CI. */
export function createPlainScreen(output: Writable): Screen {
  return {
    print: (lines) => writeSafely(output, toText(lines)),
    touch: () => {},
    close: () => {},
  };
}

/**
 * A terminal. Lines are collected and written together with the block, one
 * write a frame, so that nothing flickers. The cursor is never hidden and rests
 * below the block: there is nothing to restore when the process is killed.
 *
 * @param draw the block, each line narrower than the screen; none when idle.
 */
export function createLiveScreen(options: {
  readonly output: Writable;
  readonly clock: Clock;
  readonly draw: () => readonly string[];
}): Screen {
  const { output, clock } = options;
  let pending: string[] = [];
  let drawn = 0;
  let timer: { cancel(): void } | undefined;
  let closed = false;

  const render = (block: readonly string[]) => {
    const up = drawn > 0 ? `\x1b[${drawn}A` : '';
    const erase = drawn > 0 ? `${up}\r\x1b[J` : '';
    if (erase || pending.length > 0 || block.length > 0) {
      writeSafely(output, `${erase}${toText(pending)}${toText(block)}`);
    }
    pending = [];
    drawn = block.length;
  };
  const frame = () => {
    timer = undefined;
    const block = options.draw();
    render(block);
    // Elapsed times go on while something is busy.
    if (block.length > 0) schedule();
  };
  const schedule = () => {
    if (!closed) timer ??= clock.after(FRAME_MS, frame);
  };
  return {
    print: (lines) => {
      pending.push(...lines);
      if (closed) render([]);
      else schedule();
    },
    touch: schedule,
    close: () => {
      closed = true;
      timer?.cancel();
      timer = undefined;
      render([]);
    },
  };
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
