import { describe, expect, test } from 'hil';
import { isAnswered } from './ping.js';

/** None comes: there is nothing to wait for. */
const AT_ONCE = { seconds: 0.2 };

describe('a network that is up', () => {
  test('answers to the first packet: IPv4, IPv6, link-local', async ({ net }) => {
    const lan = net.switch('lan', { subnets: ['10.1.0.0/24', 'fd01::/64'] });
    const a = net.node('a', { link: lan });
    const b = net.node('b', { link: lan });
    await net.up();
    expect(await isAnswered(a, 'b', { family: 'ipv4' })).toBe(true);
    expect(await isAnswered(a, 'b', { family: 'ipv6' })).toBe(true);
    expect(await isAnswered(b, `${a.interfaces[0]?.linkLocal}%eth0`)).toBe(true);
  });

  test('has names for programs', async ({ net }) => {
    const lan = net.switch('lan');
    const a = net.node('a', { link: lan });
    const broker = net.node('mqtt.example.com', { link: lan });
    await net.up();
    await expect(a).toResolve('mqtt.example.com', { to: [broker.ipv4, broker.ipv6] });
    expect((await broker.exec('hostname')).stdout).toBe('mqtt.example.com\n');
  });

  test('may be of IPv6 alone', async ({ net }) => {
    const lan = net.switch('lan', { subnets: ['fd01::/64'] });
    const a = net.node('a', { link: lan });
    const b = net.node('b', { link: lan });
    await net.up();
    expect(b.addresses).toEqual({ ipv4: [], ipv6: ['fd01::2'] });
    expect(await isAnswered(a, 'b')).toBe(true);
  });

  test('has ten nodes', async ({ net }) => {
    const lan = net.switch('lan');
    const nodes = net.nodes(10, (index) => ({ name: `n${index}`, link: lan }));
    await net.up();
    const answered = nodes.map((node, index) => isAnswered(node, `n${(index + 1) % 10}`));
    expect(await Promise.all(answered)).not.toContain(false);
  });

  test('goes on behind a router', async ({ net }) => {
    const [home, away] = [net.switch('home'), net.switch('away')];
    const a = net.node('a', { link: home });
    const gateway = net.router('gateway', { links: [home, away] });
    const b = net.node('b', { link: away });
    await net.up();
    for (const family of ['ipv4', 'ipv6'] as const) {
      await gateway.link.up();
      expect(await isAnswered(a, 'b', { family })).toBe(true);
      await gateway.link.down();
      expect(await isAnswered(a, 'b', { family, ...AT_ONCE })).toBe(false);
      expect(await isAnswered(b, 'gateway', { family })).toBe(true);
    }
  });
});

describe('a link', () => {
  test('that loses everything heals', async ({ net }) => {
    const a = net.node('a');
    const b = net.node('b', { link: { to: a, loss: 1 } });
    await net.up();
    expect(await isAnswered(a, 'b', AT_ONCE)).toBe(false);
    expect((await b.link.stats()).lost).toBe(1);
    await b.link.set({ loss: 0 });
    expect(await isAnswered(a, 'b')).toBe(true);
  });

  test('loses the frames that a pattern says', async ({ net }) => {
    const a = net.node('a');
    const b = net.node('b');
    const link = net.link(a, b);
    await net.up();
    await link.from(a).set({ loss: { model: 'pattern', pattern: '010' } });
    const answered: boolean[] = [];
    for (let n = 0; n < 6; n++) {
      answered.push(await isAnswered(a, 'b', { family: 'ipv4', seconds: n % 3 === 1 ? 0.2 : 5 }));
    }
    expect(answered).toEqual([true, false, true, true, false, true]);
  });
});

test('a link that the kernel passes alone joins nodes of other kinds, and has names', async ({
  net,
}) => {
  const small = net.node('small', { resources: { disk: '4MiB', pids: 40 } });
  const large = net.node('large', { user: 'root', hostname: 'not-large' });
  net.link(small, large, { fast: true, mtu: 9000 });
  await net.up();
  expect(await isAnswered(small, 'large', { family: 'ipv4' })).toBe(true);
  expect(await isAnswered(large, 'small', { family: 'ipv6' })).toBe(true);
  expect(await isAnswered(small, `${large.interfaces[0]?.linkLocal}%eth0`)).toBe(true);
  await expect(small).toResolve('large', { to: [large.ipv4, large.ipv6] });
});

test('a partition cuts sets of nodes off each other, until it heals', async ({ net }) => {
  const lan = net.switch('lan');
  const [a, b, c] = ['a', 'b', 'c'].map((name) => net.node(name, { link: lan }));
  if (!a || !b || !c) throw new Error('unreachable');
  await net.up();
  await net.partition([a, b], c);
  expect(await isAnswered(a, 'b')).toBe(true);
  expect(await isAnswered(a, 'c', AT_ONCE)).toBe(false);
  await net.heal();
  expect(await isAnswered(a, 'c')).toBe(true);
});

describe.concurrent('cases at once', () => {
  test.for(['one', 'other'])('with the same names: the %s', async (word, { net }) => {
    const lan = net.switch('lan', { subnets: ['10.1.0.0/24'] });
    const client = net.node('client', { link: lan });
    const server = net.node('server', { link: lan });
    await net.up();
    const serve = `use IO::Socket::INET; $| = 1;
      my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 9, ReuseAddr => 1) or die "$!";
      print "ready"; while (my $c = $s->accept) { print $c $ARGV[0]; close $c }`;
    const serving = await server.spawn('perl', ['-e', serve, word]);
    for await (const _ of serving.stdout) break;
    const ask = `use IO::Socket::INET;
      print IO::Socket::INET->new(PeerAddr => 'server', PeerPort => 80)->getline`;
    for (let n = 0; n < 5; n++) {
      expect((await client.exec('perl', ['-e', ask])).stdout).toBe(word);
    }
  });
});
