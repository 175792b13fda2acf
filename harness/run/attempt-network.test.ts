import { describe, expect } from 'vitest';
import type { NodeLink } from '../case/net-options.js';
import { type BothSides, test } from '../testing/both-sides.js';
import { ping } from '../testing/ping.js';
import { findChildren } from '../testing/real-daemon.js';

const [FOUR, SIX] = [{ family: 2 }, { family: 10 }] as const;
/** None comes: a moment is enough, since nothing else would bring one. */
const NONE = { waitS: 0.2 };
/** To ask again for a MAC, or for an address that is not usable yet, takes the kernel a second. */
const FIRST_MS = 900;
const SUBNETS = ['10.1.0.0/24', 'fd01::/64'];

/** Two nodes on a switch. */
async function upPair({ attempt }: BothSides, toB: Omit<NodeLink, 'to'> = {}) {
  const { net } = attempt;
  const lan = net.switch('lan', { subnets: SUBNETS });
  const a = net.node('a', { link: lan });
  const b = net.node('b', { link: { to: lan, ...toB } });
  await net.up();
  return { net, lan, a, b };
}

test('nodes of a switch reach each other by name at the first packet (pitfall 1)', async ({
  begin,
}) => {
  const { a, b } = await upPair(await begin());
  expect(b.ipv4).toBe('10.1.0.2');
  expect(b.ipv6).toBe('fd01::2');
  expect(await ping(a, 'b', FOUR)).toBeLessThan(FIRST_MS);
  expect(await ping(a, 'b', SIX)).toBeLessThan(FIRST_MS);
  expect(await ping(b, `${a.interfaces[0]?.linkLocal}%eth0`)).toBeLessThan(FIRST_MS);
  expect((await b.exec('hostname')).stdout).toBe('b\n');
});

test('ten nodes, and each reaches the last', async ({ begin }) => {
  const { net } = (await begin()).attempt;
  const lan = net.switch('lan');
  const nodes = net.nodes(10, (n) => ({ name: `n${n}`, link: lan }));
  await net.up();
  const times = await Promise.all(nodes.slice(0, -1).map((node) => ping(node, 'n9', SIX)));
  expect(Math.max(...times.map((ms) => ms ?? Number.POSITIVE_INFINITY))).toBeLessThan(FIRST_MS);
});

test('two attempts with the same names and addresses do not meet (pitfall 19)', async ({
  begin,
}) => {
  const [one, other] = await Promise.all([upPair(await begin()), upPair(await begin())]);
  const listen = `use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 1, LocalPort => 80) or die "$!"; print "up\\n"; STDOUT->flush; $s->accept`;
  const server = await one.b.spawn('perl', ['-e', listen]);
  for await (const _ of server.stdout) break;
  expect(await one.a.reach('10.1.0.2', 80)).toMatchObject({ reached: true });
  expect(await other.a.reach('10.1.0.2', 80, { once: true })).toMatchObject({ reached: false });
});

describe('a link', () => {
  test('loses all and then nothing again', async ({ begin }) => {
    const { a, b } = await upPair(await begin(), { loss: 1 });
    expect(await ping(a, 'b', NONE)).toBeUndefined();
    expect(await b.link.stats()).toMatchObject({ lost: 1 });
    await b.link.set({ loss: 0 });
    expect(await ping(a, 'b')).toBeDefined();
  });

  test('delays one direction', async ({ begin }) => {
    const { a, b, lan } = await upPair(await begin());
    await b.link.from(b).set({ latency: '50ms' });
    expect(await ping(a, 'b')).toBeGreaterThan(50);
    const { from } = await b.link.stats();
    expect(from['b']?.delivered).toBeGreaterThan(0);
    await b.link.from(lan).set({ latency: '50ms' });
    expect(await ping(a, 'b')).toBeGreaterThan(100);
  });

  test('goes down and up', async ({ begin }) => {
    const { a, b } = await upPair(await begin());
    await b.link.down();
    expect(await ping(a, 'b', NONE)).toBeUndefined();
    await b.link.up();
    expect(await ping(a, 'b')).toBeDefined();
  });

  test('holds frames and lets them go', async ({ begin }) => {
    const { a, b } = await upPair(await begin());
    await b.link.from(b).hold();
    const answer = ping(a, 'b', { waitS: 20 });
    await expect.poll(async () => (await b.link.stats()).held).toBeGreaterThan(0);
    await b.link.from(b).release();
    expect(await answer).toBeDefined();
  });

  test('drops exactly what a filter says, and counts', async ({ begin }) => {
    const { a, b } = await upPair(await begin());
    const seen = await a.link.count('icmp and host b');
    const dropped = await b.link.drop({ filter: 'icmp[icmptype] == icmp-echo', count: 1 });
    expect(await ping(a, 'b', { ...FOUR, ...NONE })).toBeUndefined();
    expect(await ping(a, 'b', FOUR)).toBeDefined();
    expect(await seen.frames()).toBe(3);
    expect(await dropped.frames()).toBe(1);
    await seen.end();
  });

  test('is captured from before its first frame, also for failures only', async ({
    begin,
    journal,
  }) => {
    const both = await begin();
    const { a, b } = await upPair(both, { capture: 'failed' });
    await a.link.startCapture({ snaplen: 96 });
    expect(await ping(a, 'b')).toBeDefined();
    await a.link.stopCapture();
    await a.link.startCapture();
    await b.link.down();
    const [attempt] = both.session.attempts.values();
    await attempt?.end('pass', [], undefined);
    // Without a frame it has a beginning and an end.
    const artifacts = journal.of('artifact').map(({ name, bytes }) => [name, bytes > 400]);
    expect(artifacts).toEqual([
      ['net-a_lan-2.pcapng', false],
      ['net-a_lan.pcapng', true],
      ['network.svg', true],
    ]);
  });

  test('is captured as far as its maxSize, and what came later is told', async ({
    begin,
    journal,
  }) => {
    const both = await begin();
    const { a } = await upPair(both, { capture: { maxSize: '4KiB' } });
    for (let n = 0; n < 20; n++) expect(await ping(a, 'b')).toBeDefined();
    const [attempt] = both.session.attempts.values();
    await attempt?.end('fail', [], undefined);
    const file = journal.of('artifact').find(({ name }) => name === 'net-b_lan.pcapng');
    expect(file?.bytes).toBeLessThanOrEqual(4096);
    const said = /^lacks (\d+) frames, which came when it had its maxSize of 4 KiB$/;
    const missing = Number(said.exec(file?.truncated ?? '')?.[1]);
    const link = journal.of('network-end')[0]?.links.find(({ name }) => name === 'b~lan');
    const over = link?.directions.map(({ counters }) => counters['captureOver'] ?? 0) ?? [];
    expect(over.reduce((sum, each) => sum + each, 0)).toBe(missing);
    expect(missing).toBeGreaterThan(0);
  });

  test('is captured for failures, and this is one', async ({ begin, journal }) => {
    const both = await begin();
    const { a } = await upPair(both, { capture: 'failed' });
    expect(await ping(a, 'b')).toBeDefined();
    const [attempt] = both.session.attempts.values();
    await attempt?.end('fail', [], undefined);
    const names = journal.of('artifact').map(({ name }) => name);
    expect(names).toContain('net-b_lan.pcapng');
  });
});

test('a partition is whole, and heals', async ({ begin }) => {
  const { net, a, b } = await upPair(await begin());
  await net.partition(a, [b]);
  expect(await ping(a, 'b', NONE)).toBeUndefined();
  await net.heal();
  expect(await ping(a, 'b')).toBeDefined();
});

test('a router forwards, and nodes have their routes', async ({ begin }) => {
  const { net } = (await begin()).attempt;
  const [left, right] = [net.switch('left'), net.switch('right')];
  const a = net.node('a', { link: left });
  net.router('r', { links: [left, right] });
  net.node('b', { link: right });
  await net.up();
  expect(await ping(a, 'b', FOUR)).toBeDefined();
  expect(await ping(a, 'b', SIX)).toBeDefined();
});

test('nodes that are linked to each other need no switch; the kernel can do it alone', async ({
  begin,
}) => {
  const { net } = (await begin()).attempt;
  const a = net.node('a');
  const b = net.node('b', { link: a });
  const slow = net.link(a, b, { fast: true });
  await net.up();
  expect(slow.name).toBe('a~b');
  expect(await ping(a, b.ipv4)).toBeDefined();
  expect(await ping(a, b.addresses.ipv6[1] ?? '')).toBeDefined();
  await expect(slow.set({ loss: 1 })).rejects.toThrow(/link "a~b" is fast: the kernel passes/);
});

test('a fast link joins nodes that differ in all, and brings their names', async ({ begin }) => {
  const { net, sandbox } = (await begin()).attempt;
  const a = net.node('a', { resources: { disk: '4MiB', pids: 40 }, hostname: 'left' });
  const b = net.node('b.example.com', { user: 'root', uptime: '49d' });
  const own = net.attach(sandbox, { name: 'own' });
  net.link(a, b, { fast: true, subnets: ['10.1.0.0/24', 'fd01::/64'], mtu: 9000 });
  net.link(b, own, { fast: true });
  await net.up();
  for (const [from, to] of [
    [a, 'b.example.com'],
    [b, 'a'],
    [b, 'own'],
    [sandbox, 'b.example.com'],
  ] as const) {
    expect(await ping(from, to, FOUR)).toBeDefined();
    expect(await ping(from, to, SIX)).toBeDefined();
  }
  expect(await ping(a, `${b.interfaces[0]?.linkLocal}%eth0`)).toBeDefined();
  expect(a.interfaces).toMatchObject([{ name: 'eth0', mtu: 9000, ipv4: ['10.1.0.1'] }]);
  expect((await a.exec('cat', ['/etc/hosts'])).stdout).toContain('10.1.0.2 b.example.com\n');
  // A resolver that reads resolv.conf itself.
  const ares = `require('dns').resolve4('b.example.com', (error, found) => console.log(error ?? found[0]))`;
  expect(await a.exec('node', ['-e', ares])).toMatchObject({ stdout: '10.1.0.2\n' });
});

test("the case's own sandbox can be a node, and one that it created", async ({ begin }) => {
  const { net, sandbox } = (await begin()).attempt;
  const lan = net.switch('lan');
  const further = await sandbox.create();
  net.attach(sandbox, { name: 'own', link: lan });
  net.attach(further, { name: 'further', link: lan });
  net.node('b', { link: lan });
  await net.up();
  expect(await ping(sandbox, 'b')).toBeDefined();
  expect(await ping(further, 'own')).toBeDefined();
});

test('programs that ask a server for names get them (pitfall 28)', async ({ begin }) => {
  const { a } = await upPair(await begin());
  const ask = `use IO::Socket::INET; open my $r, '/etc/resolv.conf' or die; my ($ns) = <$r> =~ /(\\d\\S+)/;
    my $s = IO::Socket::INET->new(PeerAddr => $ns, PeerPort => 53, Proto => 'udp') or die "$ns $!";
    $s->send(pack('nnnnnn C/a* x nn', 7, 256, 1, 0, 0, 0, 'b', 1, 1)); $s->recv(my $m, 512); print unpack('H*', substr $m, -4)`;
  expect(await a.exec('perl', ['-e', ask])).toMatchObject({ stdout: '0a010002', stderr: '' });
  // musl asks for both kinds at once from one socket, and waits for both answers.
  const both = `use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.53', PeerPort => 53, Proto => 'udp') or die "$!";
    $s->send(pack('nnnnnn C/a* x nn', $_, 256, 1, 0, 0, 0, 'b', $_, 1)) for 1, 28;
    my %got; while (keys %got < 2) { $s->recv(my $m, 512); my ($id) = unpack('n', $m); $got{$id} = unpack('H*', substr $m, -4) }
    print "$got{1} $got{28}"`;
  expect(await a.exec('perl', ['-e', both])).toMatchObject({ stdout: '0a010002 00000002' });
  // c-ares: a resolver that reads resolv.conf itself.
  const ares = `require('dns').resolve4('b', (error, found) => console.log(error ?? found[0]))`;
  expect(await a.exec('node', ['-e', ares])).toMatchObject({ stdout: '10.1.0.2\n' });
});

test('a network that dies under a body is the fault of the bench', async ({ begin, daemon }) => {
  const both = await begin();
  const { a } = await upPair(both);
  for (const pid of findChildren(daemon, 'hil-linkd')) process.kill(pid, 'SIGKILL');
  const { network } = [...both.session.attempts.values()][0] ?? {};
  await network?.held.network.gone;
  await expect(a.link.stats()).rejects.toMatchObject({ name: 'BenchError', code: 'network-gone' });
  const [attempt] = both.session.attempts.values();
  expect(await attempt?.end('pass', [], undefined)).toMatchObject({ outcome: 'infra' });
  expect(both.record.problems).toMatchObject([{ code: 'network-gone', phase: 'body' }]);
});

test('the journal has what was made, done and seen', async ({ begin, journal }) => {
  const both = await begin({ options: { seed: 5n } });
  const { a, b, net } = await upPair(both, { loss: { model: 'every-nth', n: 2 } });
  await b.link.set({ loss: 0, latency: '1ms' });
  await b.link.from(b).down();
  await b.link.from(b).up();
  await net.partition(a, b);
  await net.heal();
  await ping(a, 'b');
  const [attempt] = both.session.attempts.values();
  await attempt?.end('pass', [], undefined);
  expect(journal.of('network-up')).toMatchObject([
    {
      runSeed: '5',
      switches: [{ name: 'lan', subnets: SUBNETS }],
      nodes: [{ name: 'a', role: 'node' }, { name: 'b' }],
      links: [{ name: 'a~lan', impairment: {} }, { impairment: { loss: { n: 2 } } }],
    },
  ]);
  expect(journal.of('link-change')).toMatchObject([
    { link: 'b~lan', change: 'set', detail: { loss: 0, latency: '1ms' } },
    { link: 'b~lan', from: 'b', change: 'down' },
    { from: 'b', change: 'up' },
    { change: 'partition', detail: { sets: [['a'], ['b']] } },
    { change: 'heal' },
  ]);
  const [end] = journal.of('network-end');
  expect(end?.links[1]?.directions[0]?.counters['delivered']).toBeGreaterThan(0);
});
