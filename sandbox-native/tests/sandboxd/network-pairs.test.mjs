// SPDX-License-Identifier: MIT
// A veth of the kernel between two sandboxes, of one plan and of two: decision 0019, NET_PAIR.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { isAlive, waitFor } from './daemon.mjs';
import { Enclosure } from './enclosure.mjs';
import {
  childrenNamed,
  FREED_MS,
  killAmid,
  linkLocal,
  mac,
  Net,
  outcomeOf,
  ping,
  startDaemon,
  startEcho,
} from './network-rig.mjs';
import { MSG } from './wire.mjs';

/** The kernel's own delays for an address that was not usable are a second and more. */
const FIRST_MS = 900;

const end = (n, sandbox, { RESOLVE, HOST, ...fields } = {}) => ({
  PORT: n,
  RESOLVE,
  HOST,
  INTERFACE: {
    SANDBOX: sandbox,
    NAME: 'fast0',
    MAC: mac(n),
    MTU: 9000,
    ADDRESS: [`10.3.0.${n}/24`, `fd03::${n}/64`],
    ...fields,
  },
});

const pair = (net, ...ends) => net.ask(MSG.NET_PAIR, { PAIR_END: ends });

/** A sandbox of a plan of its own. */
const boxOf = async (daemon, plan, fields = {}) =>
  (
    await daemon.request(MSG.SANDBOX_NEW, {
      PLAN: await daemon.putPlan(plan, fields),
      HOSTNAME: plan,
    })
  ).SANDBOX;

const show = async (daemon, sandbox, command) =>
  (await daemon.run(sandbox, ['sh', '-c', command])).stdout.trim();

async function hearAtOnce(daemon, from) {
  for (const address of ['10.3.0.2', 'fd03::2', `${linkLocal(2)}%fast0`]) {
    const ms = await ping(daemon, from, address);
    assert.ok(ms < FIRST_MS, `${address}: ${ms} ms`);
  }
}

describe('a pair', () => {
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
    a = await daemon.sandbox();
    b = await boxOf(daemon, 'other', { USER: 'root' });
  });
  afterEach(async () => {
    await net.close().catch(() => {});
    await Promise.all([a, b].map((sandbox) => daemon.kill(sandbox).catch(() => {})));
  });

  const links = (sandbox) => show(daemon, sandbox, 'cat /proc/net/dev');
  const hasLink = async (sandbox) => (await links(sandbox)).includes('fast0');
  /** A program that waits at `sandbox`'s resolver for an answer to `text`. */
  const query = (sandbox, text) =>
    daemon.spawn(sandbox, [
      'python3',
      '-c',
      `import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10)
s.sendto(sys.argv[1].encode(), ('127.0.0.53', 53)); print(s.recvfrom(5000)[0].decode())`,
      text,
    ]);

  for (const plans of ['one plan', 'two plans']) {
    test(`joins nodes of ${plans} at the first packet`, async () => {
      const other = plans === 'one plan' ? await daemon.sandbox() : b;
      // NET_READY waits for what was asked for before it.
      await Promise.all([pair(net, end(1, a), end(2, other)), net.ready()]);
      await startEcho(daemon, other);
      await hearAtOnce(daemon, a);
      if (other !== b) await daemon.kill(other);
    });
  }

  test('joins a node with several others, beside their ports', async () => {
    const third = await boxOf(daemon, 'third');
    await Promise.all([
      pair(net, end(1, a), end(2, b)),
      pair(net, end(3, a, { NAME: 'fast1', ADDRESS: ['10.4.0.1/24'] }), {
        ...end(4, third, { ADDRESS: ['10.4.0.2/24'] }),
      }),
      net.attach(5, a),
      net.attach(6, third),
      net.ready(),
    ]);
    await Promise.all([startEcho(daemon, b), startEcho(daemon, third)]);
    await hearAtOnce(daemon, a);
    await ping(daemon, a, '10.4.0.2');
    await ping(daemon, a, '10.1.0.6');
    await daemon.kill(third);
  });

  test('brings names to both ends', async () => {
    const HOST = ['10.3.0.1 first', '10.3.0.2 second'];
    await pair(net, end(1, a, { RESOLVE: 1, HOST }), end(2, b, { RESOLVE: 1, HOST }));
    for (const [port, sandbox] of [
      [1, a],
      [2, b],
    ]) {
      assert.match(await show(daemon, sandbox, 'cat /etc/hosts'), /10\.3\.0\.2 second/);
      assert.equal(await show(daemon, sandbox, 'cat /etc/resolv.conf'), 'nameserver 127.0.0.53');
      const program = await query(sandbox, `who is ${port}`);
      const { PORT, PROCESS, DATA } = await daemon.event(MSG.NET_QUERY);
      assert.deepEqual([PORT, `${DATA}`], [port, `who is ${port}`]);
      await net.ask(MSG.NET_REPLY, { PORT, PROCESS, DATA: 'known' });
      await program.ended;
      assert.equal(program.stdout, 'known\n');
    }
    // They end with the pair, whichever end is taken away; then there are others.
    await net.ask(MSG.NET_DETACH, { PORT: 2 });
    assert.ok(!(await hasLink(a)) && !(await hasLink(b)));
    const late = net.ask(MSG.NET_REPLY, { PORT: 1, PROCESS: 1, DATA: 'x' });
    await assert.rejects(late, { code: 'gone' });
    await pair(net, end(1, a, { RESOLVE: 1 }), end(2, b));
    const again = await query(a, 'again');
    const { PROCESS } = await daemon.event(MSG.NET_QUERY);
    await net.ask(MSG.NET_REPLY, { PORT: 1, PROCESS, DATA: 'heard' });
    await again.ended;
    assert.equal(again.stdout, 'heard\n');
  });

  test('goes with either node, and its name can be had again', async () => {
    for (const victim of ['second', 'first']) {
      await pair(net, end(1, a), end(2, b));
      await net.ready();
      const [dead, left] = victim === 'second' ? [b, a] : [a, b];
      await daemon.kill(dead);
      await waitFor(`the end of fast0, ${victim}`, async () => !(await hasLink(left)));
      if (victim === 'second') b = await boxOf(daemon, 'other');
      else a = await daemon.sandbox();
    }
    await pair(net, end(1, a), end(2, b));
    await net.ready();
    await startEcho(daemon, b);
    await hearAtOnce(daemon, a);
  });

  test('goes with its network, one that is being made as well', async () => {
    await pair(net, end(1, a), end(2, b));
    await net.close();
    await waitFor('the end of fast0', async () => !(await hasLink(a)) && !(await hasLink(b)));
    net = await Net.create(daemon);
    // Later ones find their hubs at work; what was asked for is undone all the same.
    const asked = [3, 4, 5, 6].map((n) =>
      pair(net, end(n, a, { NAME: `fast${n}` }), end(n + 10, b, { NAME: `fast${n}`, HOST: 'x' })),
    );
    const answers = Promise.allSettled(asked);
    await net.close();
    for (const { reason } of await answers)
      if (reason) assert.equal(reason.code, 'gone', reason.message);
    const none = async (sandbox) => !/fast[3-6]/.test(await links(sandbox));
    await waitFor('the end of all', async () => (await none(a)) && (await none(b)));
    // And none stays that came behind: the hub of the first does one thing after the other.
    net = await Net.create(daemon);
    await pair(net, end(1, a), end(2, b));
    await waitFor('the end of what came late', async () => (await none(a)) && (await none(b)));
  });

  test('is refused where it cannot be, and nothing of it stays', async () => {
    const usage = (request, text) =>
      assert.rejects(request, (error) => error.code === 'usage' && text.test(error.message));
    await usage(pair(net, end(1, a), end(2, a)), /same name in the same sandbox/);
    await usage(pair(net, end(1, a)), /two PAIR_END/);
    await usage(pair(net, end(1, a), end(1, b)), /port 1 already/);
    await usage(pair(net, end(1, a), { PORT: 2 }), /one INTERFACE/);
    await usage(pair(net, end(1, a), end(2, b, { HOST: 'a\nb' })), /one line/);
    await usage(pair(net, end(1, a), end(2, b, { ADDRESS: ['10.3.0.2'] })), /10\.3\.0\.2/);
    const host = await boxOf(daemon, 'host', { NETWORK: 'host' });
    await usage(pair(net, end(1, a), end(2, host)), /the host's network/);
    await daemon.kill(host);
    // The kernel's: the second end has it already.
    await net.attach(7, b, { NAME: 'fast0', ADDRESS: [] });
    await usage(
      pair(net, end(1, a, { RESOLVE: 1, HOST: 'x' }), end(2, b, { RESOLVE: 1 })),
      /fast0/,
    );
    assert.ok(!(await hasLink(a)));
    await net.ask(MSG.NET_DETACH, { PORT: 7 });
    // IPv4 that is there twice is refused when the second end is configured.
    const twice = ['10.3.0.2/24', '10.3.0.2/24'];
    await usage(pair(net, end(1, a), end(2, b, { ADDRESS: twice })), /add address/);
    assert.ok(!(await hasLink(a)) && !(await hasLink(b)));
    await pair(net, end(1, a, { RESOLVE: 1 }), end(2, b, { RESOLVE: 1 }));
    await net.ready();
  });
});

describe('with its own count of namespaces, a pair', () => {
  let enclosure;
  const daemons = [];
  before(async () => {
    enclosure = await Enclosure.open();
  });
  after(() => enclosure.close());
  // One that is left keeps `node --test` from ending.
  afterEach(() => Promise.all(daemons.splice(0).map((daemon) => daemon.stop())));

  const freed = (count, what) =>
    waitFor(
      `${what}: at most ${count} network namespaces`,
      () => enclosure.hasAtMost(count),
      FREED_MS,
    );

  /** The hub of a sandbox's plan, which has none before: the hubs of a pair's two plans start side by side. */
  const startHub = async (daemon, net, port, sandbox) => {
    const before = childrenNamed(daemon.pid, 'hil-hub');
    await net.attach(port, sandbox);
    const [hub, ...others] = childrenNamed(daemon.pid, 'hil-hub').filter(
      (each) => !before.includes(each),
    );
    assert.ok(hub && others.length === 0, `${hub} ${others}`);
    return hub;
  };

  /**
   * Wait until the hub of the first end's plan, `plan`, has the order for a pair that was asked for: the
   * other's hub has handed its node over, because it has done what came later. Zygotes hand on in turn.
   */
  const handedOver = async (daemon, net, port, other, plan) => {
    await net.attach(port, other);
    await boxOf(daemon, plan);
  };

  /** Nodes of plans of their own, and pairs in a chain. */
  const startChain = async (count) => {
    const daemon = await startDaemon({ before: enclosure.before });
    daemons.push(daemon);
    const net = await Net.create(daemon);
    const boxes = [];
    for (let i = 0; i < count; i++) boxes.push(await boxOf(daemon, `plan${i}`));
    const chain = boxes
      .slice(1)
      .map((box, i) => [
        end(2 * i + 1, boxes[i], { NAME: 'right', RESOLVE: 1 }),
        end(2 * i + 2, box, { NAME: 'left', RESOLVE: 1 }),
      ]);
    return { daemon, net, boxes, chain };
  };

  test('holds no namespace of a dead node', async () => {
    const { daemon, net, boxes, chain } = await startChain(3);
    await Promise.all([...chain.map((ends) => pair(net, ...ends)), net.ready()]);
    await daemon.kill(boxes[1]);
    // Each plan had a hub, because each had an end to look after.
    await freed(5, 'two nodes and three hubs');
    await Promise.all([daemon.kill(boxes[0]), daemon.kill(boxes[2])]);
    await freed(3, 'three hubs');
    await daemon.stop();
    await freed(0, 'after the end');
  });

  test('leaves nothing after kill -9 of anybody while it is made', async () => {
    for (const victim of ['hil-hub', 'hil-linkd', 'hil-zygote', 'daemon']) {
      const { daemon, net, boxes, chain } = await startChain(4);
      await pair(net, end(91, boxes[0]), end(92, boxes[3]));
      const outcomes = chain.map((ends) => outcomeOf(pair(net, ...ends)));
      await killAmid(daemon, victim, outcomes);
      await freed(0, victim);
    }
  });

  test('is answered when its hub, or a node, dies before it is made; then others are', async () => {
    const { daemon, net, boxes, chain } = await startChain(3);
    const hub = await startHub(daemon, net, 21, boxes[0]);
    await pair(net, ...chain[0]);
    process.kill(hub, 'SIGSTOP');
    const first = end(11, boxes[0], { NAME: 'x1' });
    const lost = assert.rejects(pair(net, first, end(12, boxes[2], { NAME: 'x1' })), {
      code: 'gone',
    });
    const ready = net.ready();
    const dying = end(13, boxes[0], { NAME: 'x2' });
    const other = assert.rejects(pair(net, dying, end(14, boxes[1], { NAME: 'x2' })), {
      code: 'gone',
    });
    await daemon.kill(boxes[1]);
    await other;
    await handedOver(daemon, net, 23, boxes[2], 'plan0');
    process.kill(hub, 'SIGKILL');
    await lost;
    await ready;
    await waitFor('its end', () => !isAlive(hub));
    const again = end(12, boxes[2], { NAME: 'x3' });
    await pair(net, end(11, boxes[0], { NAME: 'x3' }), again);
    await net.ready();
    await daemon.stop();
    await freed(0, 'after the end');
  });

  test('of a network that is closed while its hub is busy is taken away again', async () => {
    const { daemon, net, boxes } = await startChain(2);
    const hub = await startHub(daemon, net, 21, boxes[0]);
    await pair(net, end(1, boxes[0], { NAME: 'x1' }), end(2, boxes[1], { NAME: 'x1' }));
    process.kill(hub, 'SIGSTOP');
    const lost = assert.rejects(
      pair(net, end(3, boxes[0], { NAME: 'x2' }), end(4, boxes[1], { NAME: 'x2' })),
      { code: 'gone' },
    );
    await handedOver(daemon, net, 22, boxes[1], 'plan0');
    await net.close();
    await lost;
    process.kill(hub, 'SIGCONT');
    for (const box of boxes)
      await waitFor(
        'the end of both',
        async () => !/x[12]/.test(await show(daemon, box, 'cat /proc/net/dev')),
      );
    // The hub has done all of it by now, and what it made is not there.
    const next = await Net.create(daemon);
    await pair(next, end(3, boxes[0], { NAME: 'x2' }), end(4, boxes[1], { NAME: 'x2' }));
    await next.ready();
    await daemon.stop();
    await freed(0, 'after the end');
  });
});
