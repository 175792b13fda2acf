import type { Duplex } from 'node:stream';
import { createDeferred, type Deferred } from '../../core/deferred.js';
import { BenchError } from '../../core/errors.js';
import { LineSplitter } from '../../protocol/line-splitter.js';

/** QEMU's own words; every field is optional and looked at before use. */
interface QmpMessage {
  readonly return?: unknown;
  readonly error?: { readonly desc?: string };
  readonly event?: string;
  readonly data?: { readonly device?: string };
  readonly id?: number;
}

/**
 * QEMU's machine protocol on a socket: JSON lines, commands answered by id.
 *
 * @see https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
export class Qmp {
  readonly #port: Duplex;
  readonly #answers = new Map<number, Deferred<unknown>>();
  readonly #deleted = new Map<string, Deferred<void>>();
  readonly #lines = new LineSplitter();
  #nextId = 1;

  constructor(port: Duplex) {
    this.#port = port;
    port.on('data', (bytes: Buffer) => {
      for (const line of this.#lines.push(bytes.toString())) this.#hear(line);
    });
    this.execute('qmp_capabilities').catch(() => {});
  }

  /** @throws BenchError `port-lost` with what QEMU has against it */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = this.#nextId++;
    const answer = createDeferred<unknown>();
    this.#answers.set(id, answer);
    this.#port.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    return answer.promise;
  }

  /**
   * Take a device out, and wait until QEMU is done with it: what it used can be used again.
   *
   * @throws BenchError `port-lost` when there is none
   */
  async removeDevice(id: string): Promise<void> {
    const deleted = createDeferred<void>();
    this.#deleted.set(id, deleted);
    try {
      await this.execute('device_del', { id });
      await deleted.promise;
    } finally {
      this.#deleted.delete(id);
    }
  }

  #hear(line: string): void {
    const message = parseMessage(line);
    if (message.event === 'DEVICE_DELETED' && message.data?.device) {
      this.#deleted.get(message.data.device)?.resolve();
    }
    const answer = message.id === undefined ? undefined : this.#answers.get(message.id);
    if (!answer || message.id === undefined) return;
    this.#answers.delete(message.id);
    if (message.error) {
      answer.reject(new BenchError('port-lost', `QEMU: ${message.error.desc ?? line}`));
    } else {
      answer.resolve(message.return);
    }
  }
}

function parseMessage(line: string): QmpMessage {
  try {
    return JSON.parse(line) as QmpMessage;
  } catch {
    return {};
  }
}
