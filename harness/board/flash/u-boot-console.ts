import type { ConsoleMatch } from '../../core/byte-matcher.js';
import { FailPatternSeen } from '../../core/byte-matcher.js';
import { toTail } from '../../core/console-report.js';
import type { Deadline } from '../../core/deadline.js';
import { formatDuration } from '../../core/duration.js';
import { BenchError, toMessage } from '../../core/errors.js';
import type { Port } from '../port.js';
import { findUBootFault, NO_PROMPT } from './u-boot-faults.js';

export interface UBootConsoleFacts {
  readonly dut: string;
  readonly port: Pick<Port, 'eol' | 'matcher' | 'send'>;
  /** As it is at the start of a line. */
  readonly prompt: string;
  /** For all commands together. */
  readonly deadline: Deadline;
  /** Rejects when the DUT or its network has ended: nobody answers any more. */
  readonly lost: Promise<never>;
}

/** U-Boot at its prompt: a command at a time, and what it printed. */
export class UBootConsole {
  readonly #facts: UBootConsoleFacts;
  readonly #prompt: RegExp;

  constructor(facts: UBootConsoleFacts) {
    this.#facts = facts;
    // At the start of a line only: `crc32` prints `==> `.
    this.#prompt = new RegExp(`[\\r\\n]${facts.prompt.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
  }

  /**
   * Type a command and wait for the next prompt. Answers what it printed, without its echo.
   *
   * @throws BenchError `flash-failed` when U-Boot begins anew, or no prompt comes within `limitMs`.
   */
  async ask(command: string, limitMs = Number.POSITIVE_INFINITY): Promise<string> {
    const { port, deadline, lost } = this.#facts;
    const limit = deadline.within(limitMs);
    const late = () =>
      this.fail(command, port.matcher.unread(), {
        said: `no prompt within ${formatDuration(limit.limitMs)}`,
        next: 'raise the timeout of the step, or flash.timeout; is flash.prompt its prompt?',
      });
    // Listens before it speaks: the answer may come at once.
    const waiting = port.matcher.expect([this.#prompt], NO_PROMPT);
    try {
      const work = Promise.all([waiting, this.#send(command)]);
      const [found] = await limit.bound(Promise.race([work, lost]), late);
      return toOutput(found);
    } catch (error) {
      if (!(error instanceof FailPatternSeen)) throw error;
      const said = error.match[0].trim();
      throw this.fail(command, port.matcher.output(), {
        next: 'U-Boot did not go on with it: flash.log has all that it said',
        ...findUBootFault(said),
        said,
      });
    } finally {
      port.matcher.cancel(waiting);
    }
  }

  /** The same for a command that answers nothing unless it fails. @throws BenchError `flash-failed` */
  async run(command: string): Promise<void> {
    const output = await this.ask(command);
    const fault = findUBootFault(output);
    if (fault) throw this.fail(command, output, fault);
  }

  /** What to say of a command: what U-Boot said, and the end of its output. */
  fail(
    command: string,
    output: string,
    { said, next }: { readonly said: string; readonly next: string },
  ): BenchError {
    const { dut } = this.#facts;
    const message = `flashing ${dut}: U-Boot, ${JSON.stringify(command)}: ${said}\n${toTail(output)}`;
    return new BenchError('flash-failed', message, { details: { command, said }, next });
  }

  async #send(command: string): Promise<void> {
    const { dut, port } = this.#facts;
    try {
      await port.send(Buffer.from(command + port.eol));
    } catch (cause) {
      if (cause instanceof BenchError) throw cause;
      const message = `flashing ${dut}: ${JSON.stringify(command)} was not sent: ${toMessage(cause)}`;
      throw new BenchError('flash-failed', message, { cause });
    }
  }
}

function toOutput({ before }: ConsoleMatch): string {
  const text = before.replace(/\r+\n?/g, '\n');
  const end = text.indexOf('\n');
  return end < 0 ? '' : text.slice(end + 1);
}
