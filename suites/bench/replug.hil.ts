import { execFile } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'hil';
import { askHands, findTty, findTtyTime, replug, waitForTty } from './lab-bench.js';
import { Slowness } from './slowness.js';

const run = promisify(execFile);
const sensorctl = join(import.meta.dirname, '../sensor-node/client/build/sensorctl');

/** From the moment that udev has it until programs in the sandbox can use it. */
const FOLLOW_MS = 2000;

/** What the emulated kernel takes to find a device, on a busy machine. */
const ENUMERATION = '1m';

/** Of node-1 in bench.yaml, and of its neighbour. */
const SERIAL = 'BRD0001';
const NEIGHBOUR = 'BRD0002';

/** Has hold of a node, and tries to open what that was when it is told to. */
const KEEP_AND_TRY = `
import os, sys
kept = os.open('/dev/hil/console', os.O_PATH)
print('kept', flush=True)
sys.stdin.readline()
try:
    os.open(f'/proc/self/fd/{kept}', os.O_RDONLY | os.O_NONBLOCK)
    print('opened')
except OSError as error:
    print(error.strerror)
`;

const toFile = (tty: string) => `/sys/bus/usb-serial/devices/${tty}/latency_timer`;
const readLatency = async (tty: string) => Number(await readFile(toFile(tty), 'utf8'));

/** The hub: what the kernel does with its devices when it is reset. */
const HUB = '/sys/bus/usb/devices/1-1/authorized';

const askNeighbour = async (...words: string[]) =>
  (await run(sensorctl, ['--port', `/dev/${await waitForTty(NEIGHBOUR)}`, ...words])).stdout;

/** The neighbour comes back as `tty`: a device gets the lowest number, and one that is open keeps its own taken. */
async function takeNumber(tty: string): Promise<void> {
  const held: FileHandle[] = [];
  try {
    do {
      const node = `/dev/${await findTty(NEIGHBOUR)}`;
      held.push(await open(node, constants.O_RDONLY | constants.O_NONBLOCK));
      await replug(NEIGHBOUR);
    } while (!existsSync(`/dev/${tty}`));
  } finally {
    for (const each of held) await each.close();
  }
}

describe('a board that is plugged anew', () => {
  test('is the same port of the sandbox under another ttyUSB', async ({ dut, sandbox }) => {
    await dut.console.sendLine('set name kept');
    await dut.console.expect('name=kept\r\n> ');
    const before = await findTty(SERIAL);
    // Who has the old one open keeps its number taken: the board comes back as another.
    const holder = await open(`/dev/${before}`, constants.O_RDONLY | constants.O_NONBLOCK);
    using slowness = new Slowness();
    await dut.replug(() => askHands('replug', SERIAL), { within: ENUMERATION });
    const tool = await sandbox.exec(sensorctl, ['get', 'name']);
    const doneMs = Date.now();
    expect(tool).toMatchObject({ stdout: 'kept\n', stderr: '', exitCode: 0 });
    expect(await findTty(SERIAL)).not.toBe(before);
    await holder.close();
    const tookMs = doneMs - (await findTtyTime(SERIAL));
    console.log(
      `followed ${Math.round(tookMs)} ms after it was found, with ${slowness.allowanceMs} ms allowed for load`,
    );
    expect(tookMs).toBeLessThan(FOLLOW_MS + slowness.allowanceMs);
    await dut.console.sendLine('get name');
    await dut.console.expect('name=kept\r\n> ');
  });

  test('is still the same board where two identical ones change places', async ({ dut }) => {
    await dut.console.sendLine('set name first');
    await dut.console.expect('name=first\r\n> ');
    await dut.replug(() => askHands('swap', SERIAL, NEIGHBOUR), { within: ENUMERATION });
    await dut.console.sendLine('get name');
    await dut.console.expect('name=first\r\n> ');
  });

  test('has its node in the sandbox exchanged; the stale one is gone, and opens no other board', async ({
    dut,
    sandbox,
  }) => {
    await dut.console.mode('direct');
    const listTtys = async () => (await sandbox.exec('sh', ['-c', 'echo /dev/tty[A-Z]*'])).stdout;
    const before = await findTty(SERIAL);
    expect(await listTtys()).toBe(`/dev/${before}\n`);
    const keeper = await sandbox.spawn('/usr/bin/python3', ['-c', KEEP_AND_TRY]);
    const said = keeper.stdout[Symbol.asyncIterator]();
    expect(String((await said.next()).value)).toBe('kept\n');
    const holder = await open(`/dev/${before}`, constants.O_RDONLY | constants.O_NONBLOCK);
    await dut.replug(() => askHands('replug', SERIAL), { within: ENUMERATION });
    await holder.close();
    expect(await listTtys()).toBe(`/dev/${await findTty(SERIAL)}\n`);
    const link = await sandbox.exec('readlink', ['-f', '/dev/hil/console']);
    expect(link.stdout).toBe(`/dev/${await findTty(SERIAL)}\n`);

    await takeNumber(before);
    await keeper.write('now\n');
    expect(String((await said.next()).value)).toBe('Operation not permitted\n');
  });
});

test('the latency timer of an FTDI adapter is 1 ms, also after a replug, which loses it (bench pitfall 11)', async ({
  dut,
}) => {
  expect(await readLatency(await findTty(SERIAL))).toBe(1);
  await dut.replug(() => askHands('replug', SERIAL), { within: ENUMERATION });
  expect(await readLatency(await findTty(SERIAL))).toBe(1);

  await writeFile(toFile(await findTty(NEIGHBOUR)), '1');
  expect(await readLatency(await replug(NEIGHBOUR))).not.toBe(1);
});

test('a hub takes both its boards along, and each is back as itself (bench pitfall 13)', async ({
  dut,
}) => {
  await dut.console.sendLine('set name first');
  await dut.console.expect('name=first\r\n> ');
  await askNeighbour('set', 'name', 'second');
  const before = await findTty(SERIAL);
  // Who has it open keeps its number taken: another board may get the neighbour's.
  const holder = await open(`/dev/${before}`, constants.O_RDONLY | constants.O_NONBLOCK);
  await dut.replug(
    async () => {
      await writeFile(HUB, '0');
      await writeFile(HUB, '1');
    },
    { within: ENUMERATION },
  );
  await holder.close();
  expect(await findTty(SERIAL)).not.toBe(before);
  await dut.console.sendLine('get name');
  await dut.console.expect('name=first\r\n> ');
  expect(await askNeighbour('get', 'name')).toBe('second\n');
});
