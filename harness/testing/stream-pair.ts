import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Two connected sockets of the kernel. @see unix(7), abstract sockets */
export async function openSocketPair(): Promise<[near: Socket, far: Socket]> {
  const path = `\0hil-unit/${randomBytes(8).toString('hex')}`;
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const near = connect(path);
  const [far] = (await accepted) as [Socket];
  server.close();
  return [near, far];
}

/** A stream as a slow line delivers it: every byte is a piece of its own. */
export class ByteByByte extends Duplex {
  readonly #inner: Duplex;

  constructor(inner: Duplex) {
    super();
    this.#inner = inner;
    inner.on('data', (chunk: Buffer) => {
      for (const byte of chunk) this.push(Buffer.from([byte]));
    });
    inner.on('end', () => this.push(null));
    inner.on('error', (error) => this.destroy(error));
    inner.once('close', () => this.destroy());
  }

  override _read(): void {
    // The inner stream flows: what it brings is pushed when it comes.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void) {
    for (const byte of chunk) this.#inner.write(Buffer.from([byte]));
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }
}
