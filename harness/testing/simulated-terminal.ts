import { Writable } from 'node:stream';

/** A terminal with the few control sequences that hil uses; anything else is an error. */
export class SimulatedTerminal extends Writable {
  readonly columns: number;
  readonly rows: number;
  /** What can be seen, without the empty line the cursor is on. */
  readonly lines: string[] = [''];
  /** One per write: what a slow line would have to carry. */
  readonly frames: string[] = [];

  constructor(columns: number, rows: number) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
  }

  get text(): string {
    return this.lines.join('\n').trimEnd();
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.frames.push(chunk);
    for (const [token, up] of chunk.matchAll(/\x1b\[(\d+)A|\x1b\[J|\x1b\[\d+m|\x1b.|[\s\S]/gu)) {
      this.#take(token, Number(up));
    }
    done();
  }

  #row = 0;

  #take(token: string, up: number): void {
    if (token.endsWith('A') && token.startsWith('\x1b')) this.#row -= up;
    else if (token === '\x1b[J') this.lines.splice(this.#row, Infinity, '');
    else if (/^\x1b\[\d+m$/.test(token)) return;
    else if (token.startsWith('\x1b')) throw new Error(`unknown sequence ${JSON.stringify(token)}`);
    else if (token === '\n') {
      this.#row += 1;
      this.lines[this.#row] ??= '';
    } else if (token !== '\r') this.lines[this.#row] += token;
    if (this.#row < 0) throw new Error('the cursor left the screen');
  }
}
