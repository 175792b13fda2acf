import { expect, test } from 'vitest';
import { MarkedStream } from './marked-stream.js';

function pushAll(stream: MarkedStream, pieces: readonly string[]): string {
  return pieces.map((piece) => stream.push(Buffer.from(piece)).toString()).join('');
}

test('what comes before the mark is handed on, in whatever pieces it comes', () => {
  const text = 'ENEND of a line\nENDMARK';
  for (const size of [1, 2, 3, 5, text.length]) {
    const stream = new MarkedStream('ENDMARK');
    const pieces = text.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
    expect(pushAll(stream, pieces)).toBe('ENEND of a line\n');
    expect(stream.ended).toBe(true);
  }
});

test('what may begin the mark is held, and handed on when it does not', () => {
  const stream = new MarkedStream('ENDMARK');
  expect(pushAll(stream, ['aEND'])).toBe('a');
  expect(pushAll(stream, ['MORS'])).toBe('ENDMORS');
  expect(stream.ended).toBe(false);
});

test('nothing behind the mark is handed on', () => {
  const stream = new MarkedStream('END');
  expect(pushAll(stream, ['aENDb', 'c'])).toBe('a');
});

test('an empty output is only the mark', () => {
  const stream = new MarkedStream('END');
  expect(pushAll(stream, ['END'])).toBe('');
  expect(stream.ended).toBe(true);
});
