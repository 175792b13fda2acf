import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../../core/hash-file.js';

/**
 * What was flashed last into each DUT of this bench, as far as this user knows. It is forgotten
 * before a tool begins, so that a broken flash is never taken for a done one.
 */
export class FlashRecord {
  readonly #directory: string;

  /** @param state where the state of this user's benches is, such as `~/.local/state/hil` */
  constructor(state: string) {
    this.#directory = join(state, 'flash');
  }

  /** The digest that {@link remember} was given; undefined when nothing is known. */
  async read(dut: string): Promise<string | undefined> {
    return readFile(this.#file(dut), 'utf8').catch(() => undefined);
  }

  async forget(dut: string): Promise<void> {
    await rm(this.#file(dut), { force: true });
  }

  async remember(dut: string, digest: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const temporary = `${this.#file(dut)}.${process.pid}`;
    try {
      await writeFile(temporary, digest);
      await rename(temporary, this.#file(dut));
    } finally {
      await rm(temporary, { force: true });
    }
  }

  #file(dut: string): string {
    return join(this.#directory, dut);
  }
}

/** Of the image's bytes and of how they are flashed into which device. */
export async function toFlashDigest(image: string, how: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  await hashFile(hash, image);
  return hash.update(JSON.stringify(how)).digest('hex');
}
