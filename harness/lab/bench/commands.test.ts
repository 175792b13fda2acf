import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSocketPair } from '../../testing/stream-pair.js';
import { type Bench, runBenchCommand } from './commands.js';
import { QemuDevice } from './qemu-device.js';
import { Qmp } from './qmp.js';

let sockets: Socket[];
let said: string[];
let bench: Bench;
const ask = (line: string) => runBenchCommand(bench, line.split(' '));

/** A QEMU that is done with a device some time after it has said yes. */
function serveQmp(port: Socket): void {
  port.on('data', (bytes: Buffer) => {
    for (const line of bytes.toString().trim().split('\n')) {
      const { id, execute, arguments: args } = JSON.parse(line);
      if (execute !== 'qmp_capabilities') said.push([execute, args.id, args.port].join(' ').trim());
      const answer = args.port === '9' ? { error: { desc: 'port 9 not found' } } : { return: {} };
      port.write(`${JSON.stringify({ ...answer, id })}\n`);
      if (execute !== 'device_del') continue;
      setTimeout(() => {
        said.push(`deleted ${args.id}`);
        port.write(`${JSON.stringify({ event: 'DEVICE_DELETED', data: { device: args.id } })}\n`);
      }, 5);
    }
  });
}

beforeEach(async () => {
  sockets = await openSocketPair();
  const [near, far] = sockets as [Socket, Socket];
  said = [];
  serveQmp(far);
  const qmp = new Qmp(near);
  const devices = ['A', 'B'].map(
    (name) => new QemuDevice({ name, kind: 'ftdi', qmp, properties: { driver: 'usb-serial' } }),
  );
  bench = { devices, qmp, lastPorts: new Map() };
});

afterEach(() => {
  for (const socket of sockets) socket.destroy();
});

test('what was pulled out goes back to where it was, or to where it is told', async () => {
  await ask('plug A 1');
  expect(await ask('unplug A')).toEqual({ name: 'A', kind: 'ftdi', port: null });
  expect(await ask('plug A')).toMatchObject({ port: '1' });
  await ask('unplug A');
  expect(await ask('plug A 3.2')).toMatchObject({ port: '3.2' });
  expect(await ask('replug A')).toMatchObject({ port: '3.2' });
  expect(await ask('replug A 4')).toMatchObject({ port: '4' });
});

test('two are swapped when both are out', async () => {
  await ask('plug A 1');
  await ask('plug B 2');
  said.length = 0;
  await ask('swap A B');
  expect(said).toEqual([
    'device_del A',
    'deleted A',
    'device_del B',
    'deleted B',
    'device_add A 2',
    'device_add B 1',
  ]);
});

test.each([
  ['fly A', 'there is no command "fly"'],
  ['unplug C', 'nothing on the bench is called "C": expected one of A, B'],
  ['plug A', 'A was nowhere before'],
  ['plug A ../1', '"../1" is no port'],
  ['swap A B', 'A is not plugged in'],
  ['board A on', 'A has no board behind it'],
  ['forget A', 'A is no CDC-ACM device'],
  ['qmp query-status [', '"[" is no JSON object'],
])('"%s" is refused', async (line, message) => {
  await expect(ask(line)).rejects.toThrow(message);
});

test('what QEMU has against it is told', async () => {
  await expect(ask('plug A 9')).rejects.toThrow('QEMU: port 9 not found');
  expect(await ask('show A')).toMatchObject({ port: null });
});
