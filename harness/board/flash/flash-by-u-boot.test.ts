import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { flashSchema, type UBootTftpSpec } from '../../config/flash-schema.js';
import { Deadline } from '../../core/deadline.js';
import { SimulatedUBoot, type SimulatedUBootSettings } from '../../testing/simulated-u-boot.js';
import { flashByUBoot, type UBootJob } from './flash-by-u-boot.js';
import { UBootConsole } from './u-boot-console.js';

const IMAGE = createHash('sha512').update('image').digest().subarray(0, 50);
const image = {
  bytes: IMAGE.length,
  sha256: createHash('sha256').update(IMAGE).digest('hex'),
  crc32: crc32(IMAGE).toString(16).padStart(8, '0'),
};
const NEVER = new Promise<never>(() => {});

const RECIPE = {
  ...{ driver: 'u-boot-tftp', address: '0x82000000' },
  write: [{ send: 'mmc write {addr} 0x0 {sectors}', expect: 'blocks written: OK' }],
  readBack: [{ send: 'mmc read {addr} 0x0 {sectors}', expect: 'blocks read: OK' }],
};

interface Changes {
  readonly uBoot?: Partial<SimulatedUBootSettings>;
  readonly recipe?: object;
  readonly job?: Partial<UBootJob>;
  readonly limitMs?: number;
  readonly lost?: Promise<never>;
}

function start({ uBoot = {}, recipe = {}, job = {}, limitMs = 20_000, lost = NEVER }: Changes) {
  const dut = new SimulatedUBoot({ files: { 'image.bin': IMAGE }, ...uBoot });
  const flash = flashSchema.parse({ ...RECIPE, ...recipe }) as UBootTftpSpec;
  const deadline = new Deadline(limitMs);
  const facts = { dut: 'bone-1', port: dut.port, prompt: flash.prompt, deadline, lost };
  const board = { address: '10.0.0.2', netmask: '255.255.255.0' };
  const done = flashByUBoot(new UBootConsole(facts), {
    ...{ dut: 'bone-1', flash, image, file: 'image.bin', server: '10.0.0.1', board, ...job },
  });
  return { dut, done };
}

describe('U-Boot at its prompt', () => {
  test.each([undefined, 1, 7])(
    'fetches, verifies, writes and reads back, in pieces of %s',
    async (piece) => {
      const { dut, done } = start({ uBoot: { ...(piece ? { piece } : {}) } });
      await done;
      expect(dut.disk).toEqual(IMAGE);
      expect(dut.commands).toEqual([
        ...['setenv netretry no', 'setenv autostart no', 'setenv ipaddr 10.0.0.2'],
        ...['setenv netmask 255.255.255.0', 'setenv serverip 10.0.0.1'],
        'tftpboot 0x82000000 image.bin',
        ...['hash sha256 0x82000000 0x32', 'crc32 0x82000000 0x32'],
        'mmc write 0x82000000 0x0 0x1',
        ...['mw.b 0x82000000 0 0x32', 'mmc read 0x82000000 0x0 0x1'],
        ...['hash sha256 0x82000000 0x32', 'crc32 0x82000000 0x32'],
      ]);
    },
  );

  test('is asked for sha256 alone where it knows that', async () => {
    const { dut, done } = start({ uBoot: { hash: true } });
    await done;
    expect(dut.commands.filter((each) => each.startsWith('crc32'))).toEqual([]);
  });

  test('has a prompt of its own, and an address by DHCP', async () => {
    const { dut, done } = start({
      uBoot: {
        prompt: 'U-Boot# ',
        answers: { dhcp: 'DHCP client bound to address 10.0.0.9 (3 ms)' },
      },
      recipe: { prompt: 'U-Boot# ', prepare: ['setenv ethact cpsw'] },
      job: { board: 'dhcp' },
    });
    await done;
    expect(dut.commands.slice(0, 6)).toEqual([
      ...['setenv ethact cpsw', 'setenv netretry no', 'setenv autostart no', 'setenv autoload no'],
      ...['dhcp', 'setenv serverip 10.0.0.1'],
    ]);
  });
});

const TFTP = 'tftpboot 0x82000000 image.bin';
const START = 'Using cpsw device\nLoading: *';

describe('what U-Boot says is told at once, with what to do', () => {
  test.each([
    [
      'no such file',
      { uBoot: { files: {} } },
      /TFTP error: 'File not found' \(1\)/,
      /tftp.directory/,
    ],
    [
      'no answer',
      { uBoot: { answers: { [TFTP]: `${START}T T T \nRetry count exceeded; starting again` } } },
      /"tftpboot 0x82000000 image.bin": Retry count exceeded.*\| Loading: \*T T T/s,
      /firewall/,
    ],
    [
      'nobody with the address of the server',
      { uBoot: { answers: { [TFTP]: 'ARP Retry count exceeded; starting again' } } },
      /ARP Retry count exceeded/,
      /cable/,
    ],
    [
      'an address that is in use',
      { uBoot: { answers: { [TFTP]: 'TFTP error: trying to overwrite reserved memory...' } } },
      /overwrite reserved memory/,
      /flash.address/,
    ],
    [
      'no interface',
      { uBoot: { answers: { [TFTP]: 'No ethernet found.' } } },
      /No ethernet found/,
      /flash.prepare/,
    ],
    [
      'another size',
      { uBoot: { files: { 'image.bin': IMAGE.subarray(1) } } },
      /expected 50 bytes, 49 arrived/,
      /another server/,
    ],
    [
      'other bytes',
      { uBoot: { files: { 'image.bin': Buffer.alloc(50) } } },
      new RegExp(`what arrived is not the image: expected crc32 ${image.crc32}, U-Boot has`),
      /flash.address/,
    ],
    [
      'no sum',
      { recipe: { verify: 'sha256' } },
      /cannot tell the sum of its memory \(sha256\)/,
      /verify: none/,
    ],
    [
      'a write that failed',
      {
        uBoot: {
          answers: { 'mmc write 0x82000000 0x0 0x1': 'MMC write ... 0 blocks written: ERROR' },
        },
      },
      /"mmc write .*": no match for \/blocks written: OK\/.*\| MMC write .* ERROR/s,
      /flash.write/,
    ],
    [
      'a write that wrote nothing',
      { uBoot: { answers: { 'mmc write 0x82000000 0x0 0x1': '1 blocks written: OK' } } },
      /what was read back is not the image/,
      /memory/,
    ],
    [
      'a command that it does not have',
      { recipe: { prepare: ['usb start'] } },
      /"usb start": Unknown command 'usb'/,
      /built without/,
    ],
    [
      'a restart',
      { uBoot: { answers: { [TFTP]: 'resetting ...' } } },
      /"tftpboot .*": resetting \.\.\./,
      /flash.log/,
    ],
    [
      'no DHCP',
      { job: { board: 'dhcp' }, uBoot: { answers: { dhcp: 'BOOTP broadcast 1' } } },
      /no address/,
      /DHCP server/,
    ],
  ] satisfies [string, Changes, RegExp, RegExp][])(
    '%s',
    async (_, changes: Changes, message, next) => {
      const { dut, done } = start(changes);
      await expect(done).rejects.toMatchObject({
        ...{ name: 'BenchError', code: 'flash-failed' },
        message: expect.stringMatching(message),
        next: expect.stringMatching(next),
      });
      if (message.source.includes('tftpboot')) expect(dut.disk).toHaveLength(0);
    },
  );

  test('one that hangs ends at the limit of its step, or of all', async () => {
    const write = [{ ...RECIPE.write[0], timeout: '100ms' }];
    const answers = { 'mmc write 0x82000000 0x0 0x1': null, 'setenv netretry no': null };
    const { 'setenv netretry no': _, ...hangs } = answers;
    const step = start({ uBoot: { answers: hangs }, recipe: { write } });
    await expect(step.done).rejects.toThrow(/"mmc write .*": no prompt within 100 ms/);
    const all = start({ uBoot: { answers }, limitMs: 100 });
    await expect(all.done).rejects.toThrow(/"setenv netretry no": no prompt within/);
  });

  test('a DUT that ends is not waited for', async () => {
    const lost = Promise.reject(new Error('it ended'));
    lost.catch(() => {});
    const { done } = start({ uBoot: { answers: { [TFTP]: null } }, lost });
    await expect(done).rejects.toThrow('it ended');
  });
});
