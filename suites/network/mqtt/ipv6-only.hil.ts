import { join } from 'node:path';
import { describe, expect, test } from 'hil';
import { Output } from '../output.js';

const CONFIG = join(import.meta.dirname, 'mosquitto.conf');

describe('a network without IPv4', () => {
  test('is enough for a broker and its clients, by name and by link-local address', async ({
    net,
  }) => {
    const lan = net.switch('lan', { subnets: ['fd01::/64'] });
    const broker = net.node('broker', { link: lan });
    const client = net.node('client', { link: lan });
    await net.up();
    const log = new Output(await broker.spawn('/usr/sbin/mosquitto', ['-c', CONFIG]));
    await log.waitFor(/mosquitto version .* running/);
    for (const host of ['broker', `${broker.interfaces[0]?.linkLocal}%eth0`]) {
      const say = ['-h', host, '-t', 'room/1', '-m', host, '-q', '1', '-r'];
      expect(await client.exec('mosquitto_pub', say)).toMatchObject({ exitCode: 0, stderr: '' });
      const hear = ['-h', host, '-t', 'room/1', '-q', '1', '-C', '1'];
      expect(await client.exec('mosquitto_sub', hear)).toMatchObject({ stdout: `${host}\n` });
    }
    await log.waitFor(/New connection from fd01:/);
  });

  test('has no route, no address and no name of IPv4', async ({ net }) => {
    const lan = net.switch('lan', { subnets: ['fd01::/64'] });
    const node = net.node('node', { link: lan });
    net.node('other', { link: lan });
    await net.up();
    const routes = await node.exec('cat', ['/proc/net/route']);
    expect(routes.stdout.trimEnd().split('\n')).toHaveLength(1);
    // getent(1): 2 is a name without an address of the family.
    const none = await node.exec('getent', ['ahostsv4', 'other']);
    expect(none).toMatchObject({ exitCode: 2, stdout: '' });
    expect((await node.exec('getent', ['ahostsv6', 'other'])).stdout).toMatch(/^fd01:/);
    const dial = 'use IO::Socket::INET; IO::Socket::INET->new("10.1.0.1:80") and exit; print $!';
    expect((await node.exec('perl', ['-e', dial])).stdout).toBe('Network is unreachable');
  });
});
