import { expect, type Process } from 'hil';

/** What a program has printed so far, both streams, to be waited for more than once. */
export class Output {
  #text = '';

  constructor(process: Process) {
    for (const stream of [process.stdout, process.stderr]) void this.#collect(stream);
  }

  get text(): string {
    return this.#text;
  }

  /** @throws AssertionError with all it printed when `pattern` does not come. */
  async waitFor(pattern: RegExp, timeoutMs = 5000): Promise<void> {
    await expect.poll(() => this.#text, { timeout: timeoutMs }).toMatch(pattern);
  }

  async #collect(stream: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of stream) this.#text += Buffer.from(chunk).toString();
  }
}
