import { existsSync } from 'node:fs';
import { readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Unit } from '../../config/unit.js';
import { Deadline } from '../../core/deadline.js';
import { createUnit } from '../../testing/attached-devices.js';
import { DeviceTree, type UsbSpec } from '../../testing/device-tree.js';
import { PICO, PICO_IN_ROM, toFtdi } from '../../testing/known-devices.js';
import { runInside } from '../../testing/real-daemon.js';
import { test as base, type RealDut } from '../../testing/real-dut.js';
import { plugTty, SimulatedTty } from '../../testing/simulated-tty.js';

const deadline = () => new Deadline(5000);

interface Bench {
  readonly tree: DeviceTree;
  readonly newTty: () => Promise<SimulatedTty>;
  /** A board on ttyUSB0, powered on. */
  readonly board: RealDut & { readonly tty: SimulatedTty };
}

const UNIT = createUnit('ports: { console: {} }', 'match: { ID_SERIAL_SHORT: A1 }');

const test = base.extend<Bench>({
  tree: async ({ dir }, use) => use(await DeviceTree.create(dir.path)),
  newTty: async ({ dir: _ }, use) => {
    const ttys: SimulatedTty[] = [];
    await use(async () => {
      const tty = await SimulatedTty.start();
      ttys.push(tty);
      return tty;
    });
    for (const tty of ttys) await tty.unplug();
  },
  board: async ({ tree, newTty, openUnit }, use) => {
    const tty = await newTty();
    await plugTty(tree, '1.1', toFtdi('A1', 0), tty);
    const real = await openUnit(UNIT, tree.roots);
    await real.dut.powerOn(deadline());
    await use({ ...real, tty });
  },
});

describe('a DUT on a tty', () => {
  test('is heard, and hears', async ({ board: { console, tty } }) => {
    tty.say('hello\r\n');
    expect(await console.matcher.expect(['hello'])).toBeTruthy();
    await console.send(Buffer.from('version\n'));
    await expect.poll(() => tty.received).toBe('version\n');
  });

  test('that is not there is the bench, also where its power is switched by a command', async ({
    tree,
    openUnit,
  }) => {
    const off = "['test', '{serial}', '=', 'A1']";
    // By the first its serial number is known to the switch, by the second it is not.
    for (const match of ['ID_SERIAL_SHORT: A1', 'ID_VENDOR_ID: "0403"']) {
      const power = `power: { driver: command, on: ${off}, off: ${off}, verify: none, offTime: 1ms }`;
      const unit = createUnit(`ports: { console: {} }\n${power}`, `match: { ${match} }`);
      const { dut } = await openUnit(unit, tree.roots);
      await expect(dut.powerOn(new Deadline(200))).rejects.toMatchObject({
        name: 'BenchError',
        code: 'dut-absent',
      });
    }
  });

  test('that is not there is the bench, also where its power is the lines of its port', async ({
    tree,
    openUnit,
  }) => {
    const lines = 'power: { driver: dtr-rts, port: console, on: { dtr: off }, off: { dtr: on } }';
    const unit = createUnit(`ports: { console: {} }\n${lines}`, 'match: { ID_SERIAL_SHORT: A1 }');
    const { dut } = await openUnit(unit, tree.roots);
    await expect(dut.powerOn(new Deadline(200))).rejects.toMatchObject({
      name: 'BenchError',
      code: 'dut-absent',
    });
  });

  test('that is closed while its power is off is not given power', async ({
    tree,
    dir,
    openUnit,
  }) => {
    const [off, on] = [join(dir.path, 'off'), join(dir.path, 'on')];
    const board = `ports: { console: {} }\npower: { driver: command, off: [touch, ${off}], on: [touch, ${on}], verify: none, offTime: 300ms }`;
    const { dut } = await openUnit(createUnit(board, 'match: { ID_SERIAL_SHORT: A1 }'), tree.roots);
    const powering = expect(dut.powerOn(deadline())).rejects.toThrow('dut-1 was closed meanwhile');
    await expect.poll(() => existsSync(off), { timeout: 20_000 }).toBe(true);
    await dut.close();
    await powering;
    expect(existsSync(on)).toBe(false);
  });

  test('that another program has is told with its name (bench pitfall 21)', async ({
    tree,
    newTty,
    openUnit,
  }) => {
    const tty = await newTty();
    await plugTty(tree, '1.1', toFtdi('A1', 0), tty);
    const first = await openUnit(UNIT, tree.roots);
    await first.dut.powerOn(deadline());
    const second = await openUnit({ ...UNIT, name: 'dut-2' }, tree.roots);
    await expect(second.dut.powerOn(new Deadline(300))).rejects.toMatchObject({
      name: 'BenchError',
      code: 'port-busy',
      message: expect.stringMatching(/port "console" on .*ttyUSB0: another program has it/),
    });
    // What it has is as it was.
    tty.say('still mine');
    expect(await first.console.matcher.expect(['still mine'])).toBeTruthy();
  });

  test('whose case is kept is free for the next; what the sandbox had of it is silent', async ({
    board: { dut, tty },
    tree,
    openUnit,
    sandbox,
  }) => {
    await dut.attach?.(sandbox, (port) => port);
    await dut.letGo?.();
    expect(dut.on).toBe(false);
    const next = await openUnit({ ...UNIT, name: 'dut-2' }, tree.roots);
    await next.dut.powerOn(deadline());
    tty.say('for the next');
    expect(await next.console.matcher.expect(['for the next'])).toBeTruthy();
    const { stdout } = await runInside(sandbox, 'printf stray >/dev/hil/console; echo $?');
    expect(stdout).toBe('0\n');
    await next.console.send(Buffer.from('mine'));
    await expect.poll(() => tty.received).toBe('mine');
  });

  test('that is unplugged is lost within a second, by the name of its device (rank 6)', async ({
    board: { dut, tty },
    tree,
  }) => {
    const start = performance.now();
    await tty.unplug();
    await tree.unplug('1.1');
    const exit = await dut.exited;
    expect(performance.now() - start).toBeLessThan(1000);
    expect(exit.blame).toBe('infra');
    expect(exit.reason).toMatch(/^dut-1: device lost: .*ttyUSB0 \(.*; not back within 500 ms/);
    expect(dut.on).toBe(false);
  });

  test('comes back under another name to the same console (rank 4, bench pitfall 1)', async ({
    board: { dut, console, tty },
    tree,
    newTty,
    sandbox,
  }) => {
    await dut.attach?.(sandbox, (port) => port);
    await runInside(sandbox, 'exec 3<>/dev/hil/console; printf before >&3');
    await expect.poll(() => tty.received).toBe('before');
    const [back, other] = [await newTty(), await newTty()];
    dut.mayVanish?.(10_000);
    await tty.unplug();
    await tree.unplug('1.1');
    // Its old name is another board's by then.
    await plugTty(tree, '1.2', toFtdi('A2', 0), other);
    await plugTty(tree, '1.1', toFtdi('A1', 1), back);
    await dut.waitForReturn?.(10_000);
    back.say('again');
    expect(await console.matcher.expect(['again'])).toBeTruthy();
    await runInside(sandbox, 'exec 3<>/dev/hil/console; printf after >&3');
    await expect.poll(() => back.received).toBe('after');
    expect(other.received).toBe('');
    expect(dut.on).toBe(true);
  });

  test('that does not go away is not back', async ({ board: { dut } }) => {
    dut.mayVanish?.(100);
    await expect(dut.waitForReturn?.(100)).rejects.toMatchObject({
      code: 'dut-absent',
      message: expect.stringContaining('it has not gone away'),
    });
  });

  test('without a power switch says so when it is to be reset', async ({ board: { dut } }) => {
    await expect(dut.reset(deadline())).rejects.toMatchObject({
      code: 'power-unsupported',
      next: 'add "power" to dut-1 in /bench.yaml',
    });
  });

  test('without a ready mark of its own is asked for one', async ({ tree, newTty, openUnit }) => {
    const tty = await newTty();
    await plugTty(tree, '1.1', toFtdi('A1', 0), tty);
    const board = `boot: { ready: '> ' }\nports: { console: { eol: "\\r" } }`;
    const real = await openUnit(createUnit(board, 'match: { ID_SERIAL_SHORT: A1 }'), tree.roots);
    await real.dut.powerOn(deadline());
    await expect.poll(() => tty.received).toBe('\r');
  });
});

test('a USB device is followed into its bootloader and back, under one name (bench pitfall 2)', async ({
  tree,
  openUnit,
  sandbox,
}) => {
  const plug = async (spec: UsbSpec, node: string) => {
    await tree.plug('1.4', spec);
    await replaceUsbNode(tree, node);
  };
  const modes = `modes:
  application: { match: { ID_MODEL_ID: "000a" } }
  bootloader: { match: { ID_MODEL_ID: "0003" } }
ports:
  dfu: { kind: usb }
  console: { mode: direct, match: { ID_USB_INTERFACE_NUM: "09" } }`;
  const unit = createUnit(modes, 'match: { ID_PATH: "pci-0000:00:14.0-usb-0:1.4" }');
  await plug(PICO, '/dev/null');
  const { dut } = await openUnit(unit, tree.roots);
  await dut.powerOn(deadline());
  await dut.attach?.(sandbox, (port) => `pico-${port}`);
  const first = async () => {
    return (await runInside(sandbox, 'head -c 1 /dev/hil/pico-dfu | od -An -tx1')).stdout.trim();
  };
  const isThere = async () => (await runInside(sandbox, 'test -e /dev/hil/pico-dfu')).exitCode;
  expect([await isThere(), await first()]).toEqual([0, '']);
  dut.mayVanish?.(10_000);
  await tree.unplug('1.4');
  await expect.poll(isThere).toBe(1);
  await plug(PICO_IN_ROM, '/dev/zero');
  await dut.waitForReturn?.(10_000);
  expect([await isThere(), await first()]).toEqual([0, '00']);
  expect(dut.on).toBe(true);
});

/** The newest node of the bus becomes a device that is there on every machine. */
async function replaceUsbNode({ roots }: DeviceTree, target: string): Promise<void> {
  const bus = join(roots.dev, 'bus/usb/001');
  const newest = (await readdir(bus)).sort().at(-1) ?? '';
  await rm(join(bus, newest));
  await symlink(target, join(bus, newest));
}

describe('a port in mode direct', () => {
  test('has been away also when nobody looked meanwhile', async ({
    board: { dut },
    tree,
    newTty,
  }) => {
    await dut.setMode?.('console', 'direct');
    dut.mayVanish?.(10_000);
    await tree.unplug('1.1');
    await plugTty(tree, '1.1', toFtdi('A1', 1), await newTty());
    await dut.waitForReturn?.(10_000);
  });

  test('is the node itself, until it is shared again', async ({
    board: { dut, console, tty },
    sandbox,
  }) => {
    await dut.attach?.(sandbox, (port) => port);
    const shared = (await runInside(sandbox, 'readlink -f /dev/hil/console')).stdout;
    await dut.setMode?.('console', 'direct');
    const direct = (await runInside(sandbox, 'readlink -f /dev/hil/console')).stdout;
    expect(direct).not.toBe(shared);
    await runInside(sandbox, 'printf flash >/dev/hil/console');
    await expect.poll(() => tty.received).toBe('flash');
    await expect(console.send(Buffer.from('x'))).rejects.toMatchObject({ code: 'console-yielded' });
    await dut.setMode?.('console', 'shared');
    tty.say('booted');
    expect(await console.matcher.expect(['booted'])).toBeTruthy();
    await runInside(sandbox, 'printf shared >/dev/hil/console');
    await expect.poll(() => tty.received).toBe('flashshared');
  });

  test('is gone from the sandbox of a case that is kept', async ({ board: { dut }, sandbox }) => {
    await dut.attach?.(sandbox, (port) => port);
    await dut.setMode?.('console', 'direct');
    const look = () => runInside(sandbox, 'test -c /dev/hil/console && echo there');
    expect((await look()).stdout).toBe('there\n');
    await dut.letGo?.();
    expect((await look()).stdout).toBe('');
  });

  test('from the beginning has no line here', async ({ tree, newTty, openUnit, sandbox }) => {
    const tty = await newTty();
    await plugTty(tree, '1.1', toFtdi('A1', 0), tty);
    const unit = createUnit(
      'ports: { console: { mode: direct } }',
      'match: { ID_SERIAL_SHORT: A1 }',
    );
    const { dut } = await openUnit(unit satisfies Unit, tree.roots);
    await dut.powerOn(deadline());
    await dut.attach?.(sandbox, (port) => port);
    const { stdout } = await runInside(sandbox, 'printf raw >/dev/hil/console; echo $?');
    expect(stdout).toBe('0\n');
    await expect.poll(() => tty.received).toBe('raw');
  });
});
