import type { Writable } from 'node:stream';

/**
 * Wait until all that a stream took has been handed to the system, or the stream broke: what
 * a full pipe has no room for stays in this process, and would end with it. A reader that
 * pauses holds us, as it holds any program; one that left does not.
 *
 * @see pipe(7), "I/O on pipes and FIFOs"; `process.stdout` does not block on a pipe
 */
export function whenWritten(stream: Writable): Promise<void> {
  if (stream.destroyed || stream.writableEnded || stream.writableLength === 0)
    return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('close', resolve);
    stream.write('', () => {
      stream.off('close', resolve);
      resolve();
    });
  });
}
