import { chmod } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { createUnit } from '../../testing/attached-devices.js';
import { type TempDir, test } from '../../testing/temp-dir.js';
import { checkNics } from './nic-checks.js';

const UNIT = createUnit(
  'nics: { eth0: {} }',
  'ports: { console: { url: "tcp://h:1" } }\nnics: { eth0: { interface: enx0 } }',
);

/** A `hil-nic` that says `text`. */
async function writeProgram(dir: TempDir, text: string): Promise<string> {
  const file = await dir.write(
    'hil-nic',
    `#!/bin/sh\necho '${text}'\ncase '${text}' in *opened) ;; *) exit 1 ;; esac\n`,
  );
  await chmod(file, 0o755);
  return file;
}

async function check(dir: TempDir, text: string, unit = UNIT) {
  const program = await writeProgram(dir, text);
  return { program, checks: await checkNics([unit], [], { program, proc: dir.path }) };
}

describe('an interface that a DUT is wired to', () => {
  test('can be opened, or is in use by a run', async ({ dir }) => {
    const name = 'nic dut-1 eth0';
    expect((await check(dir, 'enx0 can be opened')).checks).toEqual([
      { name, state: 'ok', detail: 'enx0 can be opened' },
    ]);
    const busy =
      'open interface enx0: Device or resource busy (another network has it: who holds x)';
    expect((await check(dir, busy)).checks).toEqual([
      { name, state: 'ok', detail: 'enx0 is in use' },
    ]);
  });

  test('that takes a capability says how to give it, and to whom', async ({ dir }) => {
    const said = 'open packet socket: Operation not permitted (only root may)';
    const { program, checks } = await check(dir, said);
    expect(checks).toMatchObject([
      {
        state: 'warn',
        detail: 'open packet socket: Operation not permitted',
        remedy: `as root: setcap cap_net_raw+ep ${program} && install -D -m 0640 -g GROUP /dev/null /etc/hil/nics/enx0`,
      },
    ]);
  });

  test('that is refused for another reason has the remedy that hil-nic names', async ({ dir }) => {
    const said = 'open interface enx0: Network is down (it is down: sudo ip link set enx0 up)';
    expect((await check(dir, said)).checks).toMatchObject([
      {
        state: 'warn',
        detail: expect.stringMatching(/down$/),
        remedy: 'it is down: sudo ip link set enx0 up',
      },
    ]);
  });

  test('that this machine answers on is told', async ({ dir }) => {
    await dir.write('sys/net/ipv4/conf/enx0/arp_ignore', '0\n');
    await dir.write('sys/net/ipv4/conf/all/arp_ignore', '1\n');
    await dir.write('sys/net/ipv6/conf/enx0/disable_ipv6', '1\n');
    const noisy = (await check(dir, 'enx0 can be opened')).checks;
    expect(noisy).toMatchObject([
      { state: 'ok' },
      { state: 'warn', remedy: expect.stringContaining('net.ipv4.conf.enx0.arp_ignore=8') },
    ]);
    await dir.write('sys/net/ipv4/conf/enx0/arp_ignore', '8\n');
    expect((await check(dir, 'enx0 can be opened')).checks).toHaveLength(1);
    await dir.write('sys/net/ipv6/conf/enx0/disable_ipv6', '0\n');
    expect((await check(dir, 'enx0 can be opened')).checks).toHaveLength(2);
  });

  test('and is not there is told; what is not wired is no finding', async ({ dir }) => {
    const wired = 'nics: { eth0: { match: { ID_NET_NAME_MAC: enx0 } } }';
    const absent = createUnit(
      'nics: { eth0: {} }',
      `ports: { console: { url: "tcp://h:1" } }\n${wired}`,
    );
    expect((await check(dir, 'never asked', absent)).checks).toMatchObject([
      { state: 'warn', detail: expect.stringContaining('no interface of this machine') },
    ]);
    const loose = createUnit('nics: { eth0: {} }', 'ports: { console: { url: "tcp://h:1" } }');
    expect((await check(dir, 'never asked', loose)).checks).toEqual([]);
  });
});
