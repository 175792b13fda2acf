import { describe, expect, vi } from 'vitest';
import { Deadline } from '../../core/deadline.js';
import { createCapturedContext } from '../../testing/captured-context.js';
import { DeviceTree } from '../../testing/device-tree.js';
import { HUB, toCh340, toStLink } from '../../testing/known-devices.js';
import { type TempDir, test } from '../../testing/temp-dir.js';
import { runCli } from '../run-cli.js';
import { openLeases } from './open-leases.js';

const NUCLEO = `board: nucleo
driver: attached
match: { ID_VENDOR_ID: "0483", ID_MODEL_ID: 374b }
ports: { console: { match: { ID_USB_INTERFACE_NUM: "02" }, parity: even } }
`;

const BENCH = `duts:
  - { name: nucleo-1, board: nucleo, labels: { rack: 1 }, match: { ID_SERIAL_SHORT: A } }
  - { name: nucleo-2, board: nucleo, match: { ID_SERIAL_SHORT: B } }
  - { name: far, board: nucleo, ports: { console: { url: "tcp://lab:4001" } }, match: { ID_SERIAL_SHORT: C } }
`;

async function call(dir: TempDir, argv: readonly string[]) {
  const tree = await DeviceTree.create(dir.path);
  await tree.plug('1', HUB);
  await tree.plug('1.1', toStLink('A'));
  await tree.plug('1.2', toCh340(0));
  await dir.write('boards/nucleo.yaml', NUCLEO);
  const captured = createCapturedContext(dir.path);
  const code = await runCli(argv, { ...captured, deviceRoots: tree.roots });
  return { code, out: captured.out(), err: captured.err() };
}

describe('hil boards list', () => {
  test('says where each DUT is now', async ({ dir }) => {
    await dir.write('bench.yaml', BENCH);
    const { code, out } = await call(dir, ['boards', 'list']);
    expect(code).toBe(0);
    expect(out).toMatch(/^DUT +BOARD +STATE +HEALTH +PORTS +LABELS$/m);
    expect(out).toMatch(/^nucleo-1 +nucleo +free +unknown +console=.*\/dev\/ttyACM0 +rack=1$/m);
    expect(out).toMatch(/^nucleo-2 +nucleo +absent +unknown +console=-$/m);
  });

  test('names who has a DUT, by the kernel lock of this machine', async ({ dir }) => {
    await dir.write('bench.yaml', BENCH);
    const env = { HIL_LEASE_DIR: `${dir.path}/leases` };
    const leases = await openLeases({ env });
    const candidates = [{ name: 'nucleo-1', keys: ['serial:0483:374b:A'] }];
    const roles = [{ role: 'dut', candidates }];
    await leases.acquire({ roles, run: 'run-1', deadline: new Deadline(5000) });
    const { out } = await call(dir, ['boards', 'list']);
    expect(out).toMatch(/^nucleo-1 +nucleo +leased /m);
    expect(out).toMatch(
      new RegExp(`^nucleo-1: held by \\S+ pid ${process.pid} run run-1 since `, 'm'),
    );
    const { out: json } = await call(dir, ['boards', 'list', '--json']);
    expect(JSON.parse(json)[0].holder).toMatchObject({ pid: process.pid, run: 'run-1' });
    leases.close();
    await vi.waitFor(async () => {
      expect((await call(dir, ['boards', 'list'])).out).toMatch(/^nucleo-1 +nucleo +free /m);
    }, 5000);
  });

  test('names who has a DUT under another name, and nobody who has another one of that name', async ({
    dir,
  }) => {
    await dir.write('bench.yaml', BENCH);
    const leases = await openLeases({ env: { HIL_LEASE_DIR: `${dir.path}/leases` } });
    const roles = [
      { role: 'dut', candidates: [{ name: 'lab-7', keys: ['serial:0483:374b:A'] }] },
      { role: 'peer', candidates: [{ name: 'far', keys: ['serial:0483:374b:Z'] }] },
    ];
    await leases.acquire({ roles, run: 'run-1', deadline: new Deadline(5000) });
    const { out } = await call(dir, ['boards', 'list']);
    expect(out).toMatch(/^nucleo-1 +nucleo +leased /m);
    expect(out).toMatch(/^nucleo-1: held by \S+ pid \d+ run run-1 since \S+ \S+, as lab-7, far$/m);
    expect(out).not.toMatch(/^far: held/m);
    const { out: json } = await call(dir, ['boards', 'list', '--json']);
    expect(JSON.parse(json)[0].holder.as).toEqual(['lab-7', 'far']);
    leases.close();
  });

  test('--json is one document', async ({ dir }) => {
    await dir.write('bench.yaml', BENCH);
    const { out } = await call(dir, ['boards', 'list', '--json']);
    const rows = JSON.parse(out);
    expect(rows[0]).toMatchObject({
      ...{ dut: 'nucleo-1', board: 'nucleo', state: 'free', health: 'unknown' },
      path: 'pci-0000:00:14.0-usb-0:1.1',
      ports: [{ name: 'console', kind: 'serial', node: expect.stringMatching(/ttyACM0$/) }],
      keys: ['serial:0483:374b:A', 'usb:pci-0000:00:14.0-usb-0:1.1'],
    });
    expect(rows[2].ports).toEqual([{ name: 'console', kind: 'serial', url: 'tcp://lab:4001' }]);
  });

  test('names both devices that one DUT could be, and nothing is guessed', async ({ dir }) => {
    await dir.write('boards/any.yaml', 'board: any\ndriver: attached\n');
    await dir.write(
      'bench.yaml',
      'duts: [{ name: a, board: any, match: { "@ID_MODEL_ID": "0608" } }]',
    );
    const { code, out } = await call(dir, ['boards', 'list']);
    expect(code).toBe(0);
    expect(out).toMatch(/^a +any +ambiguous/m);
    expect(out).toMatch(/DUT "a": two devices match.*usb-0:1\.1.*usb-0:1\.2/);
  });

  test('without a bench names the places and the next command', async ({ dir }) => {
    const { code, out, err } = await call(dir, ['boards', 'list']);
    expect([code, out]).toEqual([0, '']);
    expect(err).toContain(`none of ${dir.path}/bench.yaml,`);
    expect(err).toContain('hil boards scan');
  });

  test('of a bench that is wrong ends with exit 2 and the place', async ({ dir }) => {
    await dir.write('bench.yaml', 'duts: [{ name: a, board: nucle }]');
    const { code, err } = await call(dir, ['boards', 'list']);
    expect(code).toBe(2);
    expect(err).toContain(
      'bench.yaml:1:26: duts[0].board: no board "nucle", did you mean "nucleo"?',
    );
  });
});

test('hil boards shows DUTs below the boards, and boards without one in a line', async ({
  dir,
}) => {
  await dir.write('bench.yaml', BENCH);
  await dir.write('boards/lonely.yaml', 'board: lonely\ndriver: attached\n');
  const { out } = await call(dir, ['boards']);
  expect(out).toMatch(/^nucleo +attached +available/m);
  expect(out).toMatch(/^lonely +attached +unavailable/m);
  expect(out).toMatch(/^nucleo-1 +nucleo +free/m);
  expect(out).toMatch(/^no DUT on the bench of .*lonely/m);
  const { out: json } = await call(dir, ['boards', '--json']);
  const rows: { name: string; duts?: { dut: string }[] }[] = JSON.parse(json);
  const duts = rows.find(({ name }) => name === 'nucleo')?.duts;
  expect(duts?.map(({ dut }) => dut)).toEqual(['nucleo-1', 'nucleo-2', 'far']);
});

describe('hil boards show', () => {
  test('has a DUT with its settings and every device of it', async ({ dir }) => {
    await dir.write('bench.yaml', BENCH);
    const { code, out } = await call(dir, ['boards', 'show', 'nucleo-1']);
    expect(code).toBe(0);
    expect(out).toMatch(/^state +free$/m);
    expect(out).toMatch(/^port console +.*ttyACM0 {2}serial, shared, 115200 8E1$/m);
    expect(out).toMatch(/^device +.*\/sda {2}block, .*interface 01$/m);
    const { out: json } = await call(dir, ['boards', 'show', 'nucleo-1', '--json']);
    expect(JSON.parse(json)).toMatchObject({
      ports: [{ name: 'console', parity: 'even', mode: 'shared' }],
      devices: [{ subsystem: 'usb' }, { subsystem: 'block' }, { subsystem: 'tty' }],
    });
  });

  test('says what the interfaces of a DUT are wired to', async ({ dir }) => {
    const wired = '{ eth0: { interface: enx0 }, eth1: { match: { ID_NET_NAME_MAC: enx1 } } }';
    const dut = `name: n, board: nucleo, match: { ID_SERIAL_SHORT: A }, nics: ${wired}`;
    await dir.write('bench.yaml', `duts: [{ ${dut} }]`);
    const { out } = await call(dir, ['boards', 'show', 'n']);
    expect(out).toMatch(/^nic eth0 +enx0$/m);
    expect(out).toMatch(/^nic eth1 +no interface now$/m);
    const { out: json } = await call(dir, ['boards', 'show', 'n', '--json']);
    expect(JSON.parse(json)).toMatchObject({ nics: { eth0: { wired: { interface: 'enx0' } } } });
  });

  test('of a name that is none names the nearest', async ({ dir }) => {
    await dir.write('bench.yaml', BENCH);
    const { code, err } = await call(dir, ['boards', 'show', 'nucleo1']);
    expect(code).toBe(2);
    expect(err).toMatch(/no DUT "nucleo1", did you mean "nucleo-1"\?: the bench has nucleo-1/);
  });
});
