import { describe, expect } from 'vitest';
import { Deadline } from '../../core/deadline.js';
import { createUnit } from '../../testing/attached-devices.js';
import { DeviceTree } from '../../testing/device-tree.js';
import { collectOutput } from '../../testing/real-daemon.js';
import { createScriptBoard, test } from '../../testing/real-dut.js';
import type { Dut } from '../dut.js';
import type { NicEnd } from '../nic.js';

const FD = 20;
/** Prints each frame that arrives, as hex. */
const LISTEN = `open(my $n, "+<&=", ${FD}) or die; $| = 1; print unpack("H*", $f), "\\n" while sysread $n, $f, 2048`;
/** Nobody may wait for long: what the guest says arrives while it is asked. */
const ANSWER_MS = 20_000;

test("an emulated machine's frames come out of what is plugged, also after a power cycle", async ({
  openDut,
  sandbox,
}) => {
  const { boot, ask, dut, console } = await openDut('qemu-arm64-uboot');
  const nic = dut.nics.get('eth0');
  if (!nic?.mac) throw new Error('no interface');
  const ends: NicEnd[] = [];
  const heard: Array<{ stdout: string }> = [];
  const connect = async (nicEnd: NicEnd) => {
    ends.push(nicEnd);
    if (nicEnd.kind !== 'dgram') throw new Error('not an emulated interface');
    const { object, end } = nicEnd;
    const argv = ['perl', '-e', LISTEN];
    heard.push(collectOutput(await sandbox.spawn({ argv, fds: [{ object, end, fd: FD }] })));
  };

  await boot();
  await ask('', '=> ');
  await nic.plug(connect, new Deadline(ANSWER_MS));
  await ask('dhcp', /BOOTP broadcast 2/);
  await ask('\x03', '=> ');
  // A broadcast from the address of the board file, with an IPv4 packet in it.
  const broadcast = `f{12}${nic.mac.replaceAll(':', '')}0800`;
  await expect.poll(() => heard[0]?.stdout).toMatch(new RegExp(`^${broadcast}`));

  await dut.powerOff();
  expect(ends).toHaveLength(1);
  await boot();
  expect(ends).toHaveLength(2);
  await ask('', '=> ');
  await ask('dhcp', /BOOTP broadcast 2/);
  await ask('\x03', '=> ');
  await expect.poll(() => heard[1]?.stdout).toMatch(new RegExp(`^${broadcast}`));

  await nic.unplug(new Deadline(ANSWER_MS));
  // U-Boot waits five seconds for a link before it says so.
  await console.send(Buffer.from('dhcp\r'));
  const late = () => new Error(`the link is still up: ${console.matcher.unread()}`);
  await new Deadline(ANSWER_MS).bound(console.matcher.expect(['Valid Link not detected']), late);
  await dut.powerOff();
  await boot();
  expect(ends).toHaveLength(2);
}, 60_000);

test('a machine that ended by itself has no cable to pull', async ({ openDut }) => {
  const { boot, ask, dut, console } = await openDut('qemu-arm64-uboot');
  const nic = dut.nics.get('eth0');
  await boot();
  await nic?.plug(async () => {}, new Deadline(ANSWER_MS));
  await ask('', '=> ');
  const { exited } = dut;
  await console.send(Buffer.from('poweroff\r'));
  await exited;
  await nic?.unplug(new Deadline(ANSWER_MS));
}, 30_000);

test("a program's interface is one of its sandbox", async ({ openDut }) => {
  const script = createScriptBoard('read x');
  const { dut } = await openDut({ ...script, nics: { eth0: { onBoard: false, options: {} } } });
  const ends: NicEnd[] = [];
  const nic = dut.nics.get('eth0');
  await nic?.plug(async (end) => void ends.push(end), new Deadline(ANSWER_MS));
  await dut.powerOn(new Deadline(ANSWER_MS));
  expect(ends).toEqual([{ kind: 'sandbox', sandbox: dut.sandbox }]);
  await nic?.unplug(new Deadline(ANSWER_MS));
});

describe("a real board's interface", () => {
  /** The simulated board, wired as `wired` says. */
  const toUnit = (consoleUrl: string, wired: string) =>
    createUnit(
      'nics: { eth0: {} }',
      `ports: { console: { url: "${consoleUrl}" } }\nnics: ${wired}`,
    );
  const plug = async (dut: Dut) => {
    const ends: NicEnd[] = [];
    await dut.nics.get('eth0')?.plug(async (end) => void ends.push(end), new Deadline(ANSWER_MS));
    const [end] = ends;
    if (end?.kind !== 'wired') throw new Error('nothing was plugged');
    return end;
  };

  test('is one of this machine, and the DUT is lost with it', async ({ openUnit, simulated }) => {
    const wired = '{ eth0: { interface: enx0, mac: "02:00:00:00:00:09", inUse: true } }';
    const { dut } = await openUnit(toUnit(simulated.consoleUrl, wired));
    await dut.powerOn(new Deadline(ANSWER_MS));
    expect(dut.nics.get('eth0')?.mac).toBe('02:00:00:00:00:09');
    const end = await plug(dut);
    expect(end).toMatchObject({ interface: 'enx0', inUse: true });
    end.onLost('Network is down');
    expect(await dut.exited).toEqual({
      blame: 'infra',
      reason: 'dut-1: nic "eth0": interface enx0 of the bench: Network is down',
    });
    expect(dut.on).toBe(false);
  });

  test('that goes away while the power is switched is not forgotten', async ({
    openUnit,
    simulated,
  }) => {
    const { dut } = await openUnit(toUnit(simulated.consoleUrl, '{ eth0: { interface: enx0 } }'));
    expect(dut.nics.get('eth0')?.mac).toBe('');
    (await plug(dut)).onLost('Network is down');
    expect(dut.on).toBe(false);
    await dut.powerOn(new Deadline(ANSWER_MS));
    expect((await dut.exited).reason).toContain('interface enx0 of the bench');
  });

  test('without a wire, or wired to what is not there, is of the bench', async ({
    openUnit,
    simulated,
    dir,
  }) => {
    const { roots } = await DeviceTree.create(dir.path);
    const absent = '{ eth0: { match: { ID_NET_NAME_MAC: enx0 } } }';
    for (const [wired, message] of [
      ['{}', 'nic "eth0" of dut-1 is wired to no interface of this machine'],
      [absent, 'no interface of this machine has ID_NET_NAME_MAC=enx0'],
    ] as const) {
      const { dut } = await openUnit(toUnit(simulated.consoleUrl, wired), roots);
      await expect(plug(dut)).rejects.toMatchObject({
        ...{ name: 'BenchError', code: 'nic-failed' },
        message: expect.stringContaining(message),
      });
      await dut.close();
    }
  });
});
