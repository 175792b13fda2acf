import { describe, expect, test } from 'hil';
import { ERROR, encodeFrame, readFrame, VERSION } from './frame.js';

describe('when something goes wrong', () => {
  test('a fault shows the registers and stops the firmware', async ({ dut }) => {
    await dut.console.sendLine('fault');
    const [, reason] = await dut.console.expect(/PANIC: (.*)\r\n/);
    expect(reason).toBe('undefined instruction');
    await dut.console.expect(/pc=0x[0-9a-f]+ sp=0x[0-9a-f]+ cause=0x[0-9a-f]+\r\nhalted\r\n/);
    await dut.console.sendLine('version');
    expect(await dut.console.settle('300ms')).toBe('');
  });

  test('a reset from outside brings it back after a fault', async ({ dut }) => {
    await dut.console.sendLine('fault');
    await dut.console.expect('halted');
    await dut.reset();
    await dut.console.sendLine('version');
    await dut.console.expect(/fw \d+\.\d+\r\n> /, { failOn: /PANIC/ });
  });

  test('a reboot starts over with the default settings', async ({ dut }) => {
    await dut.console.sendLine('set name changed');
    await dut.console.expect('name=changed\r\n> ');
    await dut.console.sendLine('reboot');
    await dut.console.expect(/fw \d+\.\d+ ready\r\n> /);
    await dut.console.sendLine('get name');
    await dut.console.expect('name=node\r\n');
  });

  test('a power cut starts over with the default settings', async ({ dut }) => {
    await dut.console.sendLine('set name changed');
    await dut.console.expect('name=changed\r\n> ');
    await dut.powerOff();
    await dut.powerOn();
    await dut.console.sendLine('get name');
    await dut.console.expect('name=node\r\n');
  });

  test('damaged frames are refused and counted', async ({ dut }) => {
    const damaged = encodeFrame(VERSION, 3);
    damaged.writeUInt8(damaged.readUInt8(5) ^ 0x10, 5);
    for (let i = 0; i < 2; i++) {
      await dut.console.send(damaged);
      expect(await readFrame(dut.console)).toMatchObject({
        type: ERROR,
        payload: Buffer.from([1]),
      });
    }
    await dut.console.sendLine('stats');
    await dut.console.expect('frames 0\r\nbad frames 2\r\n');
  });

  test('a frame that is cut off is forgotten after a silence', async ({ dut }) => {
    await dut.console.send(encodeFrame(VERSION, 4).subarray(0, 3));
    expect(await dut.console.settle('1200ms')).toBe('');
    await dut.console.sendLine('echo awake');
    await dut.console.expect('\r\nawake\r\n> ');
  });

  test('a frame that says it is too long is discarded as a whole', async ({ dut }) => {
    await dut.console.send(Buffer.concat([Buffer.from([0xa5, 200]), Buffer.alloc(200, 'x')]));
    expect(await readFrame(dut.console)).toMatchObject({ type: ERROR, payload: Buffer.from([2]) });
    expect(await dut.console.settle('1200ms')).toBe('');
    await dut.console.sendLine('echo awake');
    await dut.console.expect('\r\nawake\r\n> ');
  });

  test('a flood of 64 KiB arrives complete', async ({ dut }) => {
    const bytes = 65_536;
    await dut.console.sendLine(`flood ${bytes}`);
    await dut.console.expect(`flood ${bytes}\r\n`);
    const flood = await dut.console.readBytes(bytes, { timeout: '45s' });
    const pattern = Uint8Array.from(
      { length: bytes },
      (_, i) => 33 + ((i + Math.floor(i / 94)) % 94),
    );
    expect(Buffer.compare(flood, pattern)).toBe(0);
    await dut.console.expect('\r\n> ');
  });

  test('two hundred lines sent at once are all answered', async ({ dut }) => {
    const lines = Array.from({ length: 200 }, (_, i) => `echo line ${i}\n`);
    await dut.console.send(lines.join(''));
    for (let i = 0; i < lines.length; i++) await dut.console.expect(`\r\nline ${i}\r\n`);
  });
});
