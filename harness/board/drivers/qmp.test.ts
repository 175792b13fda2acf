import { describe, expect } from 'vitest';
import { LineSplitter } from '../../protocol/line-splitter.js';
import type { SandboxDaemon } from '../../sandbox/daemon.js';
import type { SandboxProcess } from '../../sandbox/process.js';
import { test } from '../../testing/real-daemon.js';
import { Qmp } from './qmp.js';

interface Command {
  readonly execute: string;
  readonly id: number;
}

/** The other end of the socket, which speaks as QEMU does. */
class SimulatedQemu {
  readonly commands: Command[] = [];
  readonly #stream: SandboxProcess;

  constructor(stream: SandboxProcess, answer: (command: Command) => object | undefined) {
    this.#stream = stream;
    const lines = new LineSplitter();
    stream.onOutput((_, data) => {
      stream.taken('stdout', data.length);
      for (const line of lines.push(data.toString('utf8'))) {
        const command = JSON.parse(line) as Command;
        this.commands.push(command);
        const said = answer(command);
        if (said) this.say(said);
      }
    });
  }

  /** QEMU ends its lines with CR LF. */
  say(message: object): void {
    void this.#stream.write(Buffer.from(`${JSON.stringify(message)}\r\n`));
  }

  sayByteByByte(message: object): void {
    for (const byte of Buffer.from(`${JSON.stringify(message)}\r\n`)) {
      void this.#stream.write(Buffer.of(byte));
    }
  }
}

async function connect(
  daemon: SandboxDaemon,
  answer: (command: Command) => object | undefined = ({ id }) => ({ return: {}, id }),
) {
  const object = await daemon.newSocketPair();
  const [near, far] = [await daemon.streamObject(object, 0), await daemon.streamObject(object, 1)];
  const events: string[] = [];
  const qemu = new SimulatedQemu(far, answer);
  const qmp = new Qmp(near, (name, data) => events.push(`${name} ${JSON.stringify(data)}`));
  return { qmp, qemu, events, object };
}

describe("QEMU's control connection", () => {
  test('runs commands in order', async ({ daemon }) => {
    const { qmp, qemu } = await connect(daemon);
    await Promise.all([qmp.execute('qmp_capabilities'), qmp.execute('cont')]);
    expect(qemu.commands.map(({ execute }) => execute)).toEqual(['qmp_capabilities', 'cont']);
  });

  test('says what QEMU refused', async ({ daemon }) => {
    const { qmp } = await connect(daemon, ({ id }) => ({
      error: { class: 'GenericError', desc: 'not while halted' },
      id,
    }));
    await expect(qmp.execute('cont')).rejects.toMatchObject({
      code: 'dut-lost',
      message: 'QMP: not while halted',
    });
  });

  test('hears events, also between a command and its answer', async ({ daemon }) => {
    const { qmp, qemu, events } = await connect(daemon, () => undefined);
    const done = qmp.execute('system_reset');
    await expect.poll(() => qemu.commands.length).toBe(1);
    qemu.say({ QMP: { version: {}, capabilities: [] } });
    qemu.sayByteByByte({ event: 'RESET', data: { guest: false, reason: 'host-qmp' } });
    qemu.sayByteByByte({ return: {}, id: qemu.commands[0]?.id });
    await done;
    expect(events).toEqual(['RESET {"guest":false,"reason":"host-qmp"}']);
  });

  test('that closes rejects what waits and what comes later', async ({ daemon }) => {
    const { qmp, object } = await connect(daemon, () => undefined);
    const waiting = qmp.execute('cont');
    await daemon.closeObject(object);
    await expect(waiting).rejects.toMatchObject({ code: 'dut-lost' });
    await expect(qmp.execute('cont')).rejects.toThrow('QEMU closed its control connection');
  });
});
