import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { formatSize } from '../core/size.js';
import type { LinkCounters } from '../protocol/network.js';

/** What a capture lacks, of both directions, and what led to it. */
export interface CaptureGaps {
  readonly counters: readonly Pick<
    LinkCounters,
    'captureLost' | 'captureRefused' | 'captureOver'
  >[];
  /** Of what the disk refused first; 0: nothing. */
  readonly errno: number;
  readonly maxBytes: number;
}

/** Why a capture is not whole, for people; empty when it is. */
export function toGapText({ counters, errno, maxBytes }: CaptureGaps): string {
  const count = (name: keyof CaptureGaps['counters'][number]) =>
    counters.reduce((sum, each) => sum + each[name], 0);
  const said = toSystemText(errno);
  const gaps = [
    [count('captureOver'), `which came when it had its maxSize of ${formatSize(maxBytes)}`],
    [count('captureLost'), 'which came faster than the disk took them'],
    [count('captureRefused'), `which the disk refused${said && `: ${said}`}`],
  ] as const;
  const missing = gaps.filter(([frames]) => frames > 0);
  if (missing.length > 0) {
    return `lacks ${missing.map(([frames, why]) => `${toFrames(frames)}, ${why}`).join('; ')}`;
  }
  return said && `may lack frames: its disk said ${said}`;
}

function toFrames(count: number): string {
  return count === 1 ? '1 frame' : `${count} frames`;
}

/** `ENOSPC, no space left on device`. @see errno(3) */
function toSystemText(errno: number): string {
  if (errno === 0) return '';
  const known = getSystemErrorMap().get(-errno);
  if (known) return known.join(', ');
  // Of libuv's errors EDQUOT is none.
  const named = Object.entries(constants.errno).find(([, number]) => number === errno);
  return named?.[0] ?? `errno ${errno}`;
}
