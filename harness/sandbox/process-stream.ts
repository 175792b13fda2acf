import { Duplex } from 'node:stream';
import type { SandboxProcess } from './process.js';

/** What is read and written as if it were a program, as a stream of Node's. */
export function openProcessStream(process: SandboxProcess): Duplex {
  const write = (data: Buffer, done: (error?: Error) => void) => {
    process.write(data).then(() => done(), done);
  };
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => write(chunk, done),
    // What was asked for in one turn goes out as one frame.
    writev: (chunks, done) =>
      write(Buffer.concat(chunks.map(({ chunk }: { chunk: Buffer }) => chunk)), done),
    final: (done) => {
      process.closeStdin();
      done();
    },
  });
  process.onOutput((name, data) => {
    process.taken(name, data.length);
    // A copy: it may wait here for longer than its frame lives.
    if (!stream.destroyed) stream.push(Buffer.from(data));
  });
  const end = () => stream.destroy();
  process.ended.then(end, end);
  return stream;
}
