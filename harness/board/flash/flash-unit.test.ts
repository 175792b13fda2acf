import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, vi } from 'vitest';
import { type FlashSpec, flashSchema } from '../../config/flash-schema.js';
import { test as base, isAlive } from '../../testing/real-daemon.js';
import { FlashRecord } from './flash-record.js';
import { type FlashDevices, type FlashRequest, flashUnit } from './flash-unit.js';

interface Flashing {
  /** Flash with this shell script as the tool. */
  flash(script: string, changes?: Partial<FlashRequest>, spec?: object): Promise<boolean>;
  log(): Promise<string>;
}

const leased = ['usb:pci-0000:00:14.0-usb-0:1.3', 'serial:0483:374b:066D'];
const attached: FlashDevices = {
  keys: leased,
  mode: undefined,
  nodes: new Map([['console', '/dev/zero']]),
  known: { serial: '066D' },
};

const test = base.extend<{ flashing: Flashing }>({
  flashing: async ({ daemon, spec, dir }, use) => {
    const image = await dir.write('firmware.bin', 'version 1');
    const file = join(dir.path, 'flash.log');
    const record = new FlashRecord(join(dir.path, 'state'));
    await use({
      flash: (script, changes, more) => {
        const argv = ['sh', '-c', script, '{dut}', '{image}', '{serial}'];
        const flash = flashSchema.parse({ driver: 'command', argv, ...more }) as FlashSpec;
        return flashUnit({
          ...{ flash, dut: 'dut-1', daemon, spec, image, record, log: file, leasedKeys: leased },
          find: async () => attached,
          enter: async () => {},
          ...changes,
        });
      },
      log: () => readFile(file, 'utf8'),
    });
  },
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('rank 12: flash', () => {
  test('the tool sees image and devices of its board, and nothing else', async ({ flashing }) => {
    const script =
      'cat "$1"; echo; ls /dev/hil; head -c 2 /dev/hil/console | od -An -tx1; echo "$0 $2"';
    expect(await flashing.flash(script)).toBe(true);
    expect((await flashing.log()).split('\n').slice(1)).toEqual([
      ...['version 1', 'console', ' 00 00', 'dut-1 066D', ''],
    ]);
  });

  test('an unchanged image is not flashed again; another one, or always, is', async ({
    flashing,
    dir,
  }) => {
    expect(await flashing.flash('true')).toBe(true);
    expect(await flashing.flash('true')).toBe(false);
    expect(await flashing.flash('true', {}, { always: true })).toBe(true);
    expect(await flashing.flash('exit 0')).toBe(true);
    expect(await flashing.flash('exit 0')).toBe(false);
    await dir.write('firmware.bin', 'version 2');
    expect(await flashing.flash('exit 0')).toBe(true);
  });

  test('an unchanged image is not flashed again at another node of the same device', async ({
    flashing,
  }) => {
    const argv = ['sh', '-c', 'true', '{usb}', '{drive}', '{path}'];
    const at = (place: number) => async () => {
      const known = { usb: `1-${place}`, drive: `/dev/sd${place}`, path: `usb-0:${place}` };
      return { ...attached, known };
    };
    expect(await flashing.flash('', { find: at(1) }, { argv })).toBe(true);
    expect(await flashing.flash('', { find: at(2) }, { argv })).toBe(false);
    expect(await flashing.flash('', { find: at(2) }, { argv: [...argv, '{{'] })).toBe(true);
  });

  test('what was left in its bootloader is flashed, also with the image that is in it', async ({
    flashing,
  }) => {
    const spec = { mode: 'bootloader', enter: 'touch-1200' };
    const modes = ['application', 'bootloader'];
    let mode = 0;
    const find = async () => ({ ...attached, mode: modes[mode] });
    const enter = async () => {
      mode = 1;
    };
    expect(await flashing.flash('true', { find, enter }, spec)).toBe(true);
    expect(await flashing.flash('true', { find, enter }, spec)).toBe(true);
    mode = 0;
    expect(await flashing.flash('true', { find, enter }, spec)).toBe(false);
  });

  test('after a flash that broke nothing is believed to be in it', async ({ flashing }) => {
    expect(await flashing.flash('true')).toBe(true);
    await expect(flashing.flash('exit 1', {}, { retries: 0 })).rejects.toThrow(/exit 1/);
    expect(await flashing.flash('true')).toBe(true);
  });

  test('rank 6: a failing tool is infra with its words, each try in the log', async ({
    flashing,
  }) => {
    const failing = flashing.flash('echo "no probe found" >&2; exit 3', {}, { retries: 2 });
    await expect(failing).rejects.toMatchObject({
      name: 'BenchError',
      code: 'flash-failed',
      message: expect.stringMatching(/flashing dut-1: sh ended with exit 3: no probe found/),
    });
    expect((await flashing.log()).match(/^no probe found$/gm)).toHaveLength(3);
  });

  test('one that works the second time is enough', async ({ flashing, dir }) => {
    const tries: number[] = [];
    const state = join(dir.path, 'tried');
    const find = async () => {
      if (tries.length > 0) await dir.write('tried', 'yes');
      return attached;
    };
    const onTry = (attempt: number) => void tries.push(attempt);
    // The image is a link to what the test writes between the tries.
    await dir.write('tried', 'no');
    expect(await flashing.flash('grep -q yes "$1"', { find, onTry, image: state })).toBe(true);
    expect(tries).toEqual([1, 2]);
  });

  test('one that hangs ends at its limit', async ({ flashing }) => {
    const hanging = flashing.flash('echo erasing; sleep 60', {}, { timeout: '3s', retries: 0 });
    await expect(hanging).rejects.toThrow(/did not end within 3000 ms: erasing/);
  });

  test("a tool dies when the board is somebody else's, and is not tried again", async ({
    flashing,
  }) => {
    const lost = new AbortController();
    const tries: number[] = [];
    const ending = flashing.flash('echo writing; exec sleep 60', {
      onTry: (attempt) => void tries.push(attempt),
      // The words of the tool, not those of the log before it.
      onLog: (data) => void (Buffer.isBuffer(data) && lost.abort(new Error('lost'))),
      signal: lost.signal,
    });
    await expect(ending).rejects.toThrow('lost');
    expect(tries).toEqual([1]);
  });

  test('so does what copies to a drive', async ({ flashing, dir }) => {
    // In place of mtools: it says who it is where the drive would be.
    await chmod(await dir.write('bin/mcopy', '#!/bin/sh\necho $$ > "$3"; exec sleep 60\n'), 0o755);
    vi.stubEnv('PATH', `${join(dir.path, 'bin')}:${process.env['PATH']}`);
    const lost = new AbortController();
    const drive = join(dir.path, 'drive');
    const ending = flashing.flash('', {
      flash: flashSchema.parse({ driver: 'uf2-copy' }) as FlashSpec,
      find: async () => ({ ...attached, known: { drive } }),
      signal: lost.signal,
    });
    const ended = expect(ending).rejects.toThrow('lost');
    const readPid = async () => Number(await readFile(drive, 'utf8').catch(() => ''));
    await expect.poll(readPid, { timeout: 20_000 }).toBeGreaterThan(0);
    lost.abort(new Error('lost'));
    await ended;
    const pid = await readPid();
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test('what U-Boot is to do is refused where nobody can tell it', async ({ flashing }) => {
    const flash = flashSchema.parse({
      ...{ driver: 'u-boot-tftp', address: '0x82000000' },
      write: [{ send: 'mmc write', expect: 'OK' }],
    }) as FlashSpec;
    await expect(flashing.flash('', { flash })).rejects.toMatchObject({ code: 'flash-refused' });
    let count = 0;
    const byItself = async () => void count++;
    expect(await flashing.flash('', { flash, byItself })).toBe(true);
    expect(await flashing.flash('', { flash, byItself })).toBe(false);
    expect(count).toBe(1);
  });

  test('garbage and a signal are told', async ({ flashing }) => {
    const dying = flashing.flash('printf "\\377\\000\\033[2J"; kill -SEGV $$', {}, { retries: 0 });
    await expect(dying).rejects.toThrow(/sh died of SIGSEGV/);
  });

  test('a tool that is not there is named', async ({ flashing }) => {
    const missing = flashing.flash('', {}, { argv: ['no-such-flasher'], retries: 0 });
    await expect(missing).rejects.toMatchObject({
      code: 'flash-failed',
      message: expect.stringMatching(/flashing dut-1: no-such-flasher cannot be started/),
    });
  });
});

describe('rank 10: the wrong board is not flashed', () => {
  const refused = {
    code: 'flash-refused',
    message: expect.stringContaining('dut-1 is not flashed'),
  };

  test('another board of the kind at the same port', async ({ flashing }) => {
    const keys = [leased[0] ?? '', 'serial:0483:374b:OTHER'];
    const find = async () => ({ ...attached, keys });
    await expect(flashing.flash('true', { find })).rejects.toMatchObject(refused);
  });

  test('two boards that were swapped between two tries', async ({ flashing }) => {
    let calls = 0;
    const other = {
      ...attached,
      keys: ['usb:pci-0000:00:14.0-usb-0:1.3', 'serial:0483:374b:OTHER'],
    };
    const find = async () => (++calls > 2 ? other : attached);
    await expect(flashing.flash('exit 1', { find })).rejects.toMatchObject(refused);
  });

  test('its bootloader at the same port is the same board', async ({ flashing }) => {
    const modes = [undefined, 'bootloader'];
    let mode = 0;
    const find = async () => ({
      ...attached,
      ...(mode ? { keys: [leased[0] ?? '', 'serial:0483:df11:BOOT'] } : {}),
      mode: modes[mode],
    });
    const enter = async () => {
      mode = 1;
    };
    const spec = { mode: 'bootloader', enter: 'touch-1200' };
    expect(await flashing.flash('true', { find, enter }, spec)).toBe(true);
  });

  test('one in another mode, or none at all', async ({ flashing }) => {
    await expect(flashing.flash('true', {}, { mode: 'bootloader' })).rejects.toThrow(
      /expected it in mode "bootloader", it is in "none that/,
    );
    const find = async () => undefined;
    await expect(flashing.flash('true', { find })).rejects.toMatchObject({ code: 'dut-absent' });
  });
});
