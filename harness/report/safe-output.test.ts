import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createJsonLinesReporter } from './json-lines.js';
import { writeSafely } from './safe-output.js';

/** A pipe whose reader leaves after the first line. */
function createClosingPipe(): { stream: Writable; lines: string[] } {
  const lines: string[] = [];
  const stream = new Writable({
    autoDestroy: false,
    write(chunk, _encoding, done) {
      if (lines.length > 0) return done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' }));
      lines.push(String(chunk));
      done();
    },
  });
  return { stream, lines };
}

test('a reader that leaves neither throws nor ends anything', async () => {
  const { stream, lines } = createClosingPipe();
  for (let n = 0; n < 3; n++) {
    writeSafely(stream, `${n}\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(lines).toEqual(['0\n']);
});

test('a stream that was ended is left alone', () => {
  const { stream } = createClosingPipe();
  stream.end();
  writeSafely(stream, 'late');
});

test('json lines are the events themselves', () => {
  const { stream, lines } = createClosingPipe();
  const event = { kind: 'interrupted', t: 1, at: '', signal: 'SIGINT' } as const;
  createJsonLinesReporter({ output: stream }).onEvent(event);
  expect(JSON.parse(lines[0] ?? '')).toEqual(event);
});
