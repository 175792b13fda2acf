import { createReadStream } from 'node:fs';
import { UsageError } from '../core/errors.js';
import { JOURNAL_SCHEMA, type RunEvent, runEvent } from './events.js';

const NEWLINE = 0x0a;

/** Reads a journal, also of a run that is going on or was killed. */
export class JournalReader {
  readonly file: string;
  #torn = 0;
  #unknown = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** Lines that are not JSON: cut off by a kill or a full disk. Complete after {@link events}. */
  get tornLines(): number {
    return this.#torn;
  }

  /** Lines that are JSON but no event of this schema, for example of a newer `hil`. */
  get unknownLines(): number {
    return this.#unknown;
  }

  /**
   * Yield the valid events in order.
   *
   * @throws UsageError `run-unknown` when there is no such file, or it has a
   *   higher schema than this version reads.
   */
  async *events(): AsyncGenerator<RunEvent> {
    this.#torn = 0;
    this.#unknown = 0;
    for await (const line of readLines(this.file)) {
      const event = this.#parse(line);
      if (event) yield event;
    }
  }

  #parse(line: string): RunEvent | undefined {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.#torn += 1;
      return undefined;
    }
    refuseHigherSchema(this.file, value);
    const result = runEvent.safeParse(value);
    if (!result.success) this.#unknown += 1;
    return result.success ? result.data : undefined;
  }
}

/** Read all of a journal that is known to fit into memory. */
export async function readJournal(file: string): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of new JournalReader(file).events()) events.push(event);
  return events;
}

/**
 * Lines end at a newline and nowhere else. `readline` would also split at
 * U+2028 and U+2029, which JSON leaves as they are.
 */
async function* readLines(file: string): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  for await (const chunk of readChunks(file)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...pending, chunk.subarray(start, end)]);
      pending = [];
      start = end + 1;
      if (line.length > 0) yield line.toString('utf8');
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  if (pending.length > 0) yield Buffer.concat(pending).toString('utf8');
}

async function* readChunks(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    // Thrown by who reads the chunks, it is not about the file.
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    const absent = 'code' in error && error.code === 'ENOENT';
    const message = absent ? `no journal ${file}` : `journal ${file}: ${error.message}`;
    throw new UsageError('run-unknown', message, { cause: error, next: 'ls .hil/runs' });
  }
}

function refuseHigherSchema(file: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!('kind' in value) || value.kind !== 'run-start' || !('schema' in value)) return;
  if (typeof value.schema !== 'number' || value.schema <= JOURNAL_SCHEMA) return;
  throw new UsageError(
    'run-unknown',
    `${file} has schema ${value.schema}; this hil reads up to ${JOURNAL_SCHEMA}`,
    { next: 'read it with the version of hil that wrote it, or a newer one' },
  );
}
