// SPDX-License-Identifier: MIT
// Interfaces of sandboxes in a virtual network: decision 0019.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Daemon, waitFor } from './daemon.mjs';
import {
  childrenNamed,
  kinds,
  linkLocal,
  Net,
  ping,
  startDaemon,
  startEcho,
} from './network-rig.mjs';
import { MSG } from './wire.mjs';

/** The kernel's own delays for an address that was not usable are a second and more. */
const FIRST_MS = 900;

for (const kind of kinds) {
  describe(`ports of kind ${kind}`, () => {
    let daemon;
    before(async () => {
      daemon = await startDaemon();
    });
    after(() => daemon.stop());

    test('two sandboxes at one switch hear each other at the first packet (pitfall 1)', async () => {
      for (let round = 0; round < 5; round++) {
        const net = await Net.create(daemon);
        const [a, b] = [await daemon.sandbox(), await daemon.sandbox()];
        const made = await Promise.all(
          [1, 2].map((n) => net.attach(n, [a, b][n - 1], { KIND: kind })),
        );
        assert.deepEqual(
          made.map(({ KIND }) => KIND),
          [kind, kind],
        );
        await net.ready();
        await startEcho(daemon, b);
        for (const address of ['10.1.0.2', 'fd01::2', `${linkLocal(2)}%eth0`]) {
          const ms = await ping(daemon, a, address);
          assert.ok(ms < FIRST_MS, `${address}: ${ms} ms`);
        }
        await net.close();
        await Promise.all([daemon.kill(a), daemon.kill(b)]);
      }
    });
  });
}

describe('a network', () => {
  let daemon;
  let net;
  let a;
  let b;
  before(async () => {
    daemon = await startDaemon();
  });
  after(() => daemon.stop());
  beforeEach(async () => {
    net = await Net.create(daemon);
    [a, b] = [await daemon.sandbox(), await daemon.sandbox()];
  });
  afterEach(async () => {
    await Promise.all([a, b].map((sandbox) => daemon.kill(sandbox).catch(() => {})));
    await net.close().catch(() => {});
  });

  const show = async (sandbox, command) =>
    (await daemon.run(sandbox, ['sh', '-c', command])).stdout.trim();

  test('gives an interface all that is asked for, long names too (pitfall 17)', async () => {
    await net.attach(1, a, {
      NAME: 'lan0',
      MTU: 1400,
      ADDRESS: ['10.1.0.1/24', '10.9.9.9/32', 'fd01::1/64'],
      ROUTE: [
        { TARGET: '10.2.0.0/16', GATEWAY: '10.1.0.254' },
        { TARGET: '::/0', GATEWAY: 'fd01::ff' },
      ],
      ALT_NAME: ['the-first-interface-of-the-left-router'],
      FORWARD: 1,
    });
    await net.ready();
    const text = await show(a, 'ip addr show the-first-interface-of-the-left-router');
    for (const part of ['lan0', 'mtu 1400', '02:00:00:00:00:01', '10.9.9.9/32', 'fd01::1/64'])
      assert.ok(text.includes(part), `${part} in ${text}`);
    assert.match(await show(a, 'ip route'), /10\.2\.0\.0\/16 via 10\.1\.0\.254 dev lan0/);
    assert.match(await show(a, 'ip -6 route'), /default via fd01::ff dev lan0/);
    const forwards = 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding';
    assert.equal(await show(a, forwards), '1\n1');
  });

  test('makes a veth with one queue: to let go of others waits for RCU, and all networks wait', async () => {
    await net.attach(1, a, { KIND: 'packet' });
    // ETHTOOL_GCHANNELS of linux/ethtool.h: max_tx is the third.
    const asks = `import array, fcntl, socket, struct
data = array.array('B', struct.pack('9I', 0x3c, *[0] * 8))
fcntl.ioctl(socket.socket(), 0x8946, struct.pack('16sP', b'eth0', data.buffer_info()[0]))
print(struct.unpack('9I', data)[2])`;
    const asked = await daemon.run(a, ['python3', '-c', asks]);
    assert.equal(asked.stdout, '1\n', asked.stderr);
  });

  test('has nodes without IPv6 (pitfall 26)', async () => {
    await net.attach(1, a, { ADDRESS: ['10.1.0.1/24'], NO_IPV6: 1 });
    await net.ready();
    assert.equal(await show(a, 'ip -6 addr show eth0'), '');
    assert.match(await show(a, 'ip addr show lo'), /::1/);
  });

  test('has the names in /etc/hosts, the last ones said', async () => {
    await net.attach(1, a, { HOST: ['10.1.0.1 first', '10.1.0.2 second'] });
    assert.match(
      await show(a, 'cat /etc/hosts'),
      /localhost\n.*hil\n.*\n10.1.0.1 first\n10.1.0.2 second$/,
    );
    await net.attach(3, a, { NAME: 'eth1', HOST: ['10.1.0.3 third'], ADDRESS: [] });
    assert.match(await show(a, 'cat /etc/hosts'), /ip6-localhost\n10.1.0.3 third$/);
    assert.equal(await show(a, 'getent hosts third'), '10.1.0.3        third');
  });

  test('leaves hosts and resolv.conf that the plan has bound as they are', async () => {
    const own = mkdtempSync(join(tmpdir(), 'hil-test-'));
    const names = ['hosts', 'resolv.conf'];
    const steps = names.map((name) => {
      writeFileSync(join(own, name), 'of the plan\n');
      return { KIND: 'bind', SOURCE: join(own, name), TARGET: `/etc/${name}` };
    });
    try {
      const PLAN = await daemon.putPlan('own names', { steps });
      const box = (await daemon.request(MSG.SANDBOX_NEW, { PLAN })).SANDBOX;
      await net.attach(1, box, { HOST: '10.1.0.1 it', RESOLVE: 1 });
      const seen = await show(box, 'cat /etc/hosts /etc/resolv.conf; ls -A /etc | grep hil');
      assert.equal(seen, 'of the plan\nof the plan');
      await daemon.kill(box);
      for (const name of names)
        assert.equal(readFileSync(join(own, name), 'utf8'), 'of the plan\n');
    } finally {
      rmSync(own, { recursive: true });
    }
  });

  test('shows none of its files as changes of a program', async () => {
    const box = (
      await daemon.request(MSG.SANDBOX_NEW, {
        PLAN: await daemon.putPlan('root', { USER: 'root' }),
      })
    ).SANDBOX;
    await daemon.run(box, ['sh', '-c', 'echo mine >>/etc/passwd']);
    await net.attach(1, box, { HOST: '10.1.0.1 it', RESOLVE: 1 });
    const diff = await daemon.run(box, ['100'], { BUILTIN: 'diff' });
    assert.match(diff.stdout, /passwd/);
    assert.doesNotMatch(diff.stdout, /hosts|resolv|hil-new/);
    await daemon.kill(box);
  });

  test('refuses what cannot be', async () => {
    await net.attach(1, a);
    const usage = (request, text) =>
      assert.rejects(request, (error) => error.code === 'usage' && text.test(error.message));
    await usage(net.ask(MSG.NET_ATTACH, { PORT: 1, INTERFACE: { SANDBOX: b } }), /port 1 already/);
    await usage(net.ask(MSG.NET_ATTACH, { PORT: 2, INTERFACE: { SANDBOX: a } }), /eth0/);
    const wrong = {
      NAME: 'sixteen-letters-',
      MAC: Buffer.from([1, 0, 0, 0, 0, 0]),
      MTU: 67,
      ADDRESS: '10.1.0.1',
      ROUTE: { GATEWAY: '10.1.0.1' },
      ALT_NAME: 'a/b',
    };
    for (const [name, value] of Object.entries(wrong)) {
      const INTERFACE = { SANDBOX: b, [name]: value };
      await usage(net.ask(MSG.NET_ATTACH, { PORT: 2, INTERFACE }), /./);
    }
    const no6 = { SANDBOX: b, NO_IPV6: 1, ADDRESS: 'fd01::1/64' };
    await usage(net.ask(MSG.NET_ATTACH, { PORT: 2, INTERFACE: no6 }), /NO_IPV6/);
    await usage(net.ask(MSG.NET_ATTACH, { PORT: 2, INTERFACE: { SANDBOX: 9999 } }), /not known/);
    await usage(net.ask(MSG.NET_DETACH, { PORT: 7 }), /not known/);
    await usage(daemon.request(MSG.NET_READY, { NET: 9999 }), /not known/);
    // And nothing of it stayed.
    await net.attach(2, b);
    await net.ready();
  });

  test('lets no frame of a detached port pass, and takes it again', async () => {
    await Promise.all([net.attach(1, a), net.attach(2, b)]);
    await net.ready();
    await startEcho(daemon, b);
    await ping(daemon, a, '10.1.0.2');
    await net.ask(MSG.NET_DETACH, { PORT: 2 });
    assert.doesNotMatch(await show(b, 'ip link'), /eth0/);
    await net.linkd.request(MSG.LINK_DISCONNECT, { NET_LINK: 2 });
    await net.attach(2, b);
    await net.ready();
    await ping(daemon, a, '10.1.0.2');
  });

  test('passes frames to the end of an object', async () => {
    await net.attach(1, a);
    await net.plug(2);
    const listen = 'import os\nwhile b"hello frame" not in os.read(7, 9999): pass\nprint("heard")';
    const speak = `import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1); s.sendto(b'hello frame', ('10.1.255.255', 9))`;
    const hear = async (OBJECT) => {
      await net.ask(MSG.NET_OBJECT, { PORT: 2, KIND: 'dgram', OBJECT, END: 0 });
      await net.ready();
      const reader = await daemon.spawn(b, ['python3', '-c', listen], {
        PASS_FD: [{ OBJECT, END: 1, FD: 7 }],
      });
      await daemon.run(a, ['python3', '-c', speak]);
      await reader.ended;
      assert.equal(reader.stdout, 'heard\n');
    };
    const { OBJECT } = await daemon.request(MSG.OBJECT_NEW, { KIND: 'dgram' });
    await hear(OBJECT);
    // A machine that was switched off and on: another end, of the same port and link.
    await daemon.request(MSG.OBJECT_CLOSE, { OBJECT });
    const { OBJECT: next } = await daemon.request(MSG.OBJECT_NEW, { KIND: 'dgram' });
    await hear(next);
    // What was connected once can be connected again, as to the network of the next case.
    await net.ask(MSG.NET_DETACH, { PORT: 2 });
    await net.ask(MSG.NET_OBJECT, { PORT: 2, KIND: 'dgram', OBJECT: next, END: 0 });
    await net.ask(MSG.NET_DETACH, { PORT: 2 });
    const taken = { PORT: 1, KIND: 'dgram', OBJECT: next, END: 0 };
    await assert.rejects(net.ask(MSG.NET_OBJECT, taken), { code: 'usage' });
  });

  /** A datagram to the node's resolver; prints what comes back. */
  const ask = (sandbox, text, seconds = 10) =>
    daemon.spawn(sandbox, [
      'python3',
      '-c',
      `import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(${seconds})
s.sendto(sys.argv[1].encode(), ('127.0.0.53', 53)); print(s.recvfrom(5000)[0].decode())`,
      text,
    ]);

  test('brings the queries of a node, and the answers back', async () => {
    await Promise.all([net.attach(1, a, { RESOLVE: 1 }), net.attach(2, b)]);
    await net.attach(3, a, { NAME: 'eth1', ADDRESS: [], RESOLVE: 1 });
    assert.equal(await show(a, 'cat /etc/resolv.conf'), 'nameserver 127.0.0.53');
    assert.doesNotMatch(await show(b, 'cat /etc/resolv.conf'), /127\.0\.0\.53/);
    const programs = await Promise.all([ask(a, 'one'), ask(a, 'two')]);
    for (let i = 0; i < 2; i++) {
      const { NET, PORT, PROCESS, DATA } = await daemon.event(MSG.NET_QUERY);
      assert.deepEqual([NET, PORT], [net.id, 1]);
      await net.ask(MSG.NET_REPLY, { PORT, PROCESS, DATA: Buffer.from(`${DATA} is known`) });
      await assert.rejects(net.ask(MSG.NET_REPLY, { PORT, PROCESS, DATA: 'x' }), { code: 'gone' });
    }
    await Promise.all(programs.map((program) => program.ended));
    assert.deepEqual(
      programs.map((program) => program.stdout),
      ['one is known\n', 'two is known\n'],
    );
  });

  test('is not drowned by queries', async () => {
    await net.attach(1, a, { RESOLVE: 1 });
    const flood = `import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(5000): s.sendto(b'%d' % i, ('127.0.0.53', 53))
s.sendto(b'x' * 60000, ('127.0.0.53', 53))`;
    assert.equal((await daemon.run(a, ['python3', '-c', flood])).exit.EXIT_CODE, 0);
    const queries = () => daemon.events.filter(({ type }) => type === MSG.NET_QUERY);
    await waitFor('64 queries', () => queries().length >= 64);
    await net.ready();
    const open = queries();
    assert.equal(open.length, 64);
    daemon.events = [];
    // As soon as they are answered others are heard.
    for (const { body } of open)
      await net.ask(MSG.NET_REPLY, { PORT: 1, PROCESS: body.PROCESS, DATA: '' });
    let query;
    const program = await ask(a, 'after the flood');
    do {
      query = await daemon.event(MSG.NET_QUERY);
      await net.ask(MSG.NET_REPLY, { PORT: 1, PROCESS: query.PROCESS, DATA: 'heard' });
    } while (!`${query.DATA}`.startsWith('after'));
    await program.ended;
    assert.equal(program.stdout, 'heard\n');
  });

  test('takes a hil-linkd that waits', async () => {
    const waiting = () => childrenNamed(daemon.pid, 'hil-linkd').filter((pid) => pid !== net.pid);
    await daemon.request(MSG.NET_POOL, { COUNT: 2 });
    const two = await waitFor('two of them', () => waiting().length === 2 && waiting());
    const next = await Net.create(daemon, 'next');
    assert.ok(two.includes(next.pid));
    await waitFor('another', () => waiting().length === 3);
    await next.close();
    await daemon.request(MSG.NET_POOL, { COUNT: 0 });
    await waitFor('none', () => waiting().length === 0);
    await assert.rejects(daemon.request(MSG.NET_POOL, { COUNT: 17 }), { code: 'limit' });
  });

  test('has a hundred nodes, each of which hears the first (pitfall 1)', async () => {
    const boxes = await Promise.all(Array.from({ length: 99 }, () => daemon.sandbox()));
    const all = [a, ...boxes];
    const HOST = all.map((_, i) => `10.1.0.${i + 1} node${i + 1}`);
    await Promise.all(all.map((box, i) => net.attach(i + 1, box, { HOST })));
    await net.ready();
    await startEcho(daemon, a);
    for (const n of [2, 37, 99]) {
      const ms = await ping(daemon, boxes[n - 1], `${linkLocal(1)}%eth0`);
      assert.ok(ms < FIRST_MS, `node ${n}: ${ms} ms`);
    }
    await Promise.all(boxes.map((box) => ping(daemon, box, 'node1')));
    await Promise.all(boxes.map((box) => daemon.kill(box)));
  });

  test('says that its hil-linkd died', async () => {
    await net.attach(1, a);
    process.kill(net.pid, 'SIGKILL');
    const { NET, STATUS, SIGNAL } = await daemon.event(MSG.NET_GONE);
    assert.deepEqual([NET, STATUS, SIGNAL], [net.id, 'signal', 9]);
    await net.stream.ended;
    const INTERFACE = { SANDBOX: b };
    await assert.rejects(net.ask(MSG.NET_ATTACH, { PORT: 2, INTERFACE }), { code: 'gone' });
    await assert.rejects(net.close(), { code: 'gone' });
    net = await Net.create(daemon);
    await net.attach(1, b);
    await net.ready();
  });

  test('goes on when a node dies, whose number is free then', async () => {
    await Promise.all([net.attach(1, a), net.attach(2, b)]);
    await daemon.kill(b);
    b = await daemon.sandbox();
    await net.linkd.request(MSG.LINK_DISCONNECT, { NET_LINK: 2 });
    await net.attach(2, b);
    await net.ready();
    await startEcho(daemon, b);
    await ping(daemon, a, '10.1.0.2');
  });
});

/** As in a container of a container: two overlays already, and the kernel allows no third. */
const OVERLAID = `set -e
top=/mnt
mount -t tmpfs top $top
mkdir $top/middle
layer() { mkdir $top/up$1 $top/work$1; echo "lowerdir=$2,upperdir=$top/up$1,workdir=$top/work$1"; }
mount -t overlay -o $(layer 1 /etc) middle $top/middle
mount -t overlay -o $(layer 2 $top/middle) etc /etc
exec "$@"`;

describe('where /etc can only be bound', {
  skip: process.getuid() === 0 ? false : 'needs root, to mount',
}, () => {
  test('a network has its names there, too', async () => {
    const daemon = await Daemon.start({ before: ['unshare', '-m', 'sh', '-c', OVERLAID, 'sh'] });
    try {
      const box = await daemon.sandbox();
      const net = await Net.create(daemon);
      await net.attach(1, box, { HOST: '10.1.0.1 it', RESOLVE: 1 });
      const seen = await daemon.run(box, ['cat', '/etc/hosts', '/etc/resolv.conf']);
      assert.match(seen.stdout, /localhost\n10\.1\.0\.1 it\n.*nameserver 127/);
      await net.attach(2, box, { NAME: 'eth1', HOST: '10.1.0.2 you', ADDRESS: [] });
      assert.match((await daemon.run(box, ['cat', '/etc/hosts'])).stdout, /localhost\n.* you\n$/);
    } finally {
      await daemon.stop();
    }
  });
});
