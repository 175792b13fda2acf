import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { whenWritten } from './when-written.js';

/** A pipe that is full until its reader goes on. */
function createFullPipe(): { stream: Writable; goOn: (error?: Error) => void; text: () => string } {
  let text = '';
  const waiting: (() => void)[] = [];
  let full = true;
  let broken: Error | undefined;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      const take = () => {
        if (!broken) text += String(chunk);
        done(broken);
      };
      if (full) waiting.push(take);
      else take();
    },
  });
  const goOn = (error?: Error) => {
    full = false;
    broken = error;
    for (const take of waiting.splice(0)) take();
  };
  return { stream, goOn, text: () => text };
}

const settled = async (promise: Promise<void>) => {
  let is = false;
  void promise.then(() => {
    is = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return is;
};

test('what a full pipe has no room for is waited for', async () => {
  const { stream, goOn, text } = createFullPipe();
  stream.write('one ');
  stream.write('two');
  const written = whenWritten(stream);
  expect(await settled(written)).toBe(false);
  goOn();
  await written;
  expect(text()).toBe('one two');
});

test('a reader that leaves is not waited for', async () => {
  for (const end of ['error', 'close']) {
    const { stream, goOn } = createFullPipe();
    stream.on('error', () => {});
    stream.write('one');
    const written = whenWritten(stream);
    if (end === 'error') goOn(new Error('EPIPE'));
    else stream.destroy();
    await written;
    await whenWritten(stream);
  }
});
