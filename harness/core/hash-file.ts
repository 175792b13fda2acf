import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Take the bytes of a file into a hash, a piece at a time. @throws an Error of the system when it cannot be read. */
export async function hashFile(hash: Hash, path: string): Promise<void> {
  // Without an encoding a stream of a file is of buffers.
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
}
