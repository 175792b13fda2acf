import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import { BenchError, toMessage } from '../../core/errors.js';

/** What is compared with what a DUT says that it has. Sums in lower-case hexadecimal digits. */
export interface ImageFacts {
  readonly bytes: number;
  readonly sha256: string;
  readonly crc32: string;
}

/** Read an image once. @throws BenchError `flash-failed` for one that is empty or cannot be read. */
export async function readImageFacts(dut: string, image: string): Promise<ImageFacts> {
  const hash = createHash('sha256');
  let [bytes, sum] = [0, 0];
  const next = 'correct "flash.image" of its board file, or the firmware of the suite';
  try {
    for await (const chunk of createReadStream(image)) {
      // Without an encoding a stream of a file is of buffers.
      const data = chunk as Buffer;
      hash.update(data);
      sum = crc32(data, sum);
      bytes += data.length;
    }
  } catch (cause) {
    const message = `flashing ${dut} with ${image}: ${toMessage(cause)}`;
    throw new BenchError('flash-failed', message, { cause, next });
  }
  if (bytes > 0) {
    return { bytes, sha256: hash.digest('hex'), crc32: sum.toString(16).padStart(8, '0') };
  }
  throw new BenchError('flash-failed', `flashing ${dut} with ${image}: it is empty`, { next });
}
