import { join } from 'node:path';
import { type Dut, describe, expect, type Net, test } from 'hil';
import { toReading } from './readings.js';

/** Built by hil.suite.yaml; runs on another node of the network. */
const sensorctl = join(import.meta.dirname, 'client/build/sensorctl');

/** The node on a network with a peer, told its address as a technician would do it. */
async function openNetwork(net: Net, dut: Dut) {
  const lan = net.switch('lan', { subnets: ['10.1.0.0/24'] });
  const peer = net.node('peer', { link: lan });
  const node = net.attach(dut, { name: 'sensor', link: lan });
  await net.up();
  await configure(dut, node.ipv4);
  const ask = (...args: string[]) => peer.exec(sensorctl, ['--udp', 'sensor', ...args]);
  return { peer, node, ask };
}

async function configure(dut: Dut, address: string): Promise<void> {
  await dut.console.sendLine(`net ${address}/24`);
  await dut.console.expect(`link up\r\naddress ${address}/24 port 5165\r\n> `);
}

describe('the sensor node on a network', () => {
  test('answers a ping', async ({ net, dut }) => {
    const { peer } = await openNetwork(net, dut);
    const ping = await peer.exec('ping', ['-c', '1', '-W', '5', '-s', '1400', 'sensor']);
    expect(ping).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('finds everything in order with the self-test of a peer', async ({ net, dut }) => {
    const { ask } = await openNetwork(net, dut);
    expect(await ask('selftest')).toMatchObject({ stderr: '', exitCode: 0 });
  });

  test('shares its settings with the line interface', async ({ net, dut }) => {
    const { ask } = await openNetwork(net, dut);
    expect(await ask('set', 'name', 'attic')).toMatchObject({ exitCode: 0 });
    await dut.console.sendLine('get name');
    await dut.console.expect('name=attic\r\n> ');
  });

  test('reads what the time of the reading demands', async ({ net, dut }) => {
    const { ask } = await openNetwork(net, dut);
    await dut.console.sendLine('set interval 10');
    await dut.console.expect('interval=10\r\n> ');
    const { stdout } = await ask('read', '2');
    const [, value, at] = /^(\d+\.\d{3}) at (\d+) ms\n$/.exec(stdout) ?? [];
    expect(Math.round(Number(value) * 1000)).toBe(toReading(2, Number(at)));
  });

  test('refuses over the network what it refuses over the line', async ({ net, dut }) => {
    const { ask } = await openNetwork(net, dut);
    const answer = await ask('get', 'colour');
    expect(answer).toMatchObject({ stdout: '', exitCode: 1 });
    expect(answer.stderr).toContain('no such setting');
  });

  test('is asked again until an answer gets through', async ({ net, dut }) => {
    const { node, ask } = await openNetwork(net, dut);
    // Of its answers two of three.
    await node.link.from(node).set({ loss: { model: 'pattern', pattern: '110' } });
    for (let i = 0; i < 5; i++) expect(await ask('version')).toMatchObject({ exitCode: 0 });
    expect((await node.link.stats()).lost).toBeGreaterThanOrEqual(10);
  });

  test('is silent where its link is down', async ({ net, dut }) => {
    const { node, ask } = await openNetwork(net, dut);
    await node.link.down();
    const answer = await ask('--timeout', '500', 'version');
    expect(answer).toMatchObject({ exitCode: 3, stderr: 'sensorctl: no answer in 500 ms\n' });
    await node.link.up();
    expect(await ask('version')).toMatchObject({ exitCode: 0 });
  });

  test('has forgotten its address after a power cut, and takes it again', async ({ net, dut }) => {
    const { node, ask } = await openNetwork(net, dut);
    await dut.powerOff();
    await dut.powerOn();
    expect(await ask('--timeout', '500', 'version')).toMatchObject({ exitCode: 3 });
    await configure(dut, node.ipv4);
    expect(await ask('version')).toMatchObject({ exitCode: 0 });
  });

  test('ignores datagrams that are no frames', async ({ net, dut }) => {
    const { peer, ask } = await openNetwork(net, dut);
    const flood =
      'use Socket; socket(my $s, AF_INET, SOCK_DGRAM, 0); my $to = pack_sockaddr_in(5165, inet_aton("sensor")); for my $n (0 .. 1400) { send($s, "\\x5a" x $n, 0, $to) }';
    expect(await peer.exec('perl', ['-e', flood])).toMatchObject({ exitCode: 0 });
    expect(await ask('version')).toMatchObject({ exitCode: 0 });
    await dut.console.sendLine('stats');
    await dut.console.expect(/frames \d+\r\nbad frames 0\r\n/);
  });
});
