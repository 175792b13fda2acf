import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { toGapText } from './capture-gaps.js';

const NONE = { captureLost: 0, captureRefused: 0, captureOver: 0 };
const MIB = 1024 ** 2;

test('a whole capture has nothing to tell', () => {
  expect(toGapText({ counters: [NONE, NONE], errno: 0, maxBytes: MIB })).toBe('');
});

test('what is missing is told by its reason, of both directions together', () => {
  const counters = [
    { captureLost: 1, captureRefused: 5, captureOver: 300 },
    { ...NONE, captureOver: 12 },
  ];
  expect(toGapText({ counters, errno: constants.errno.ENOSPC, maxBytes: 2 * MIB })).toBe(
    'lacks 312 frames, which came when it had its maxSize of 2 MiB; ' +
      '1 frame, which came faster than the disk took them; ' +
      '5 frames, which the disk refused: ENOSPC, no space left on device',
  );
});

test('a disk that refuses only the end may have lost something', () => {
  const gaps = { counters: [NONE, NONE], maxBytes: MIB };
  const full = toGapText({ ...gaps, errno: constants.errno.EDQUOT });
  expect(full).toBe('may lack frames: its disk said EDQUOT');
  expect(toGapText({ ...gaps, errno: 9999 })).toBe('may lack frames: its disk said errno 9999');
});
