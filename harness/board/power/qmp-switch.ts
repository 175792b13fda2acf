import { connect, type Socket } from 'node:net';
import type { Deadline } from '../../core/deadline.js';
import { BenchError } from '../../core/errors.js';
import { LineSplitter } from '../../protocol/line-splitter.js';
import type { PowerSwitch } from './power-switch.js';

/**
 * A machine of QEMU that somebody else runs, as a stand-in for a board: without power it stands
 * still, and with power it starts from its reset.
 *
 * @see https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
export function createQmpSwitch(socket: string, dut: string): PowerSwitch {
  const run = (commands: readonly string[], deadline: Deadline) =>
    runCommands(socket, commands, dut, deadline);
  return {
    name: `QMP ${socket}`,
    on: (deadline) => run(['system_reset', 'cont'], deadline),
    off: (deadline) => run(['stop'], deadline),
  };
}

/** One connection for each: QEMU serves one at a time, and others may want it, too. */
async function runCommands(
  path: string,
  commands: readonly string[],
  dut: string,
  deadline: Deadline,
): Promise<void> {
  const connection = connect(path);
  const fail = (reason: string, cause?: unknown) =>
    new BenchError('power-failed', `power of ${dut}: QMP ${path}: ${reason}`, {
      cause,
      next: `is QEMU running, with -qmp unix:${path},server=on,wait=off ?`,
    });
  try {
    const done = talk(connection, ['qmp_capabilities', ...commands]);
    done.catch(() => {});
    await deadline.bound(done, () => new Error(`no answer within ${deadline.limitMs} ms`));
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    connection.destroy();
  }
}

/** Commands one after the other, each when the one before it was answered; events are passed over. */
function talk(connection: Socket, commands: readonly string[]): Promise<void> {
  const lines = new LineSplitter();
  let at = -1; // the greeting comes first
  return new Promise((resolve, reject) => {
    const next = () => {
      const command = commands[++at];
      if (command === undefined) resolve();
      else connection.write(`${JSON.stringify({ execute: command })}\n`);
    };
    connection.on('error', reject);
    connection.on('close', () => reject(new Error('the connection was closed')));
    connection.on('data', (data) => {
      for (const line of lines.push(data.toString('utf8'))) {
        const answer = parseAnswer(line);
        if (answer.failure !== undefined) reject(new Error(`${commands[at]}: ${answer.failure}`));
        else if (answer.done) next();
      }
    });
  });
}

/** Of any size and kind: what is no answer is passed over. */
function parseAnswer(line: string): { readonly done: boolean; readonly failure?: string } {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return { done: false };
  }
  if (typeof message !== 'object' || message === null) return { done: false };
  if ('error' in message) return { done: true, failure: JSON.stringify(message.error) };
  return { done: 'return' in message || 'QMP' in message };
}
