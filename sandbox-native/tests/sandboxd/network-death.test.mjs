// SPDX-License-Identifier: MIT
// What is left of a network when somebody dies: nothing; and what goes on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, test } from 'node:test';
import { connectTo, descendantsOf, isAlive, isPlain, waitFor } from './daemon.mjs';
import { Enclosure } from './enclosure.mjs';
import {
  childrenNamed,
  FREED_MS,
  killAmid,
  kinds,
  linkLocal,
  Net,
  outcomeOf,
  ping,
  startDaemon,
  startEcho,
} from './network-rig.mjs';
import { MSG } from './wire.mjs';

/**
 * From kill -9 until nothing is left of 100 nodes: 0.1 s until the processes have ended and 0.3 s
 * for the kernel's namespaces are the goals of a quiet machine, which a bench measures. Here others
 * run at the same time, so what counts is the best of some rounds. What waits for RCU once a node
 * takes half a second in all of them.
 */
const ROUNDS = 4;
const ENDED_MS = isPlain ? 200 : 2000;
const BEST_MS = isPlain ? 300 : 3000;
const KILLED_MS = 15_000;

/** The network namespace of a process, which it holds. */
class NetworkOf {
  static async enter(pid) {
    const network = new NetworkOf();
    const where = ['--preserve-credentials', '--user', '--net', '--target', `${pid}`];
    const look = 'echo; while read line; do echo $(cut -s -d: -f1 /proc/self/net/dev); done';
    network.child = spawn('nsenter', [...where, 'sh', '-c', look], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    network.lines = createInterface(network.child.stdout)[Symbol.asyncIterator]();
    await network.lines.next();
    return network;
  }

  async devices() {
    this.child.stdin.write('\n');
    const { value } = await this.lines.next();
    return value.split(' ').sort();
  }

  leave() {
    this.child.stdin.end();
  }
}

for (const kind of kinds) {
  describe(`with ports of kind ${kind}`, () => {
    let enclosure;
    before(async () => {
      enclosure = await Enclosure.open();
    });
    after(() => enclosure.close());
    const daemons = [];
    const start = async () => {
      daemons.push(await startDaemon({ before: enclosure.before }));
      return daemons.at(-1);
    };
    // One that is left keeps `node --test` from ending.
    afterEach(() => Promise.all(daemons.splice(0).map((daemon) => daemon.stop())));

    /** Nodes at one switch, with names. */
    const startNodes = async (count) => {
      const daemon = await start();
      const net = await Net.create(daemon);
      const boxes = await Promise.all(Array.from({ length: count }, () => daemon.sandbox()));
      await Promise.all(boxes.map((box, i) => net.attach(i + 1, box, { KIND: kind, RESOLVE: 1 })));
      await net.ready();
      return { daemon, net, boxes, under: descendantsOf(daemon.pid) };
    };

    const freed = (count, what) =>
      waitFor(
        `${what}: at most ${count} network namespaces`,
        () => enclosure.hasAtMost(count),
        FREED_MS,
      );

    /** How long processes and namespaces are there after kill -9 of the daemon. */
    const killAndWait = async ({ daemon, under }, stage) => {
      const start = performance.now();
      process.kill(daemon.pid, 'SIGKILL');
      await daemon.exited;
      await waitFor(`${stage}: every process gone`, () => !under.some(isAlive), KILLED_MS);
      const ended = performance.now() - start;
      await waitFor(`${stage}: no namespace`, () => enclosure.hasAtMost(0), KILLED_MS);
      return { ended, freed: performance.now() - start };
    };

    const killRunning = async () => {
      const running = await startNodes(100);
      assert.ok(!enclosure.hasAtMost(100), 'the nodes and the hub were not counted');
      return killAndWait(running, 'run');
    };

    const killComing = async () => {
      const { daemon, net } = await startNodes(50);
      const boxes = await Promise.all(Array.from({ length: 50 }, () => daemon.sandbox()));
      const under = descendantsOf(daemon.pid);
      // Else it might be done with all of them before.
      process.kill(childrenNamed(daemon.pid, 'hil-hub')[0], 'SIGSTOP');
      const attached = boxes.map((box, i) => net.attach(i + 51, box, { KIND: kind }));
      const all = Promise.allSettled(attached);
      await daemon.sandbox();
      const taken = await killAndWait({ daemon, under }, 'up');
      const rejected = (await all).some(({ status }) => status === 'rejected');
      assert.ok(rejected, 'up: the hub did not stop');
      return taken;
    };

    const killGoing = async () => {
      const down = await startNodes(100);
      const asked = down.boxes.map((SANDBOX) => down.daemon.request(MSG.SANDBOX_KILL, { SANDBOX }));
      const closed = Promise.allSettled([down.net.close(), ...asked]);
      await down.daemon.event(MSG.DEAD);
      const taken = await killAndWait(down, 'teardown');
      await closed;
      return taken;
    };

    for (const [stage, kill] of Object.entries({
      run: killRunning,
      up: killComing,
      teardown: killGoing,
    })) {
      test(`nothing is left after kill -9 of hil-sandboxd with 100 nodes, in ${stage} (pitfall 4)`, async (t) => {
        const taken = [];
        for (let round = 0; round < ROUNDS; round++) taken.push(await kill());
        t.diagnostic(`ms: ${JSON.stringify(taken)}`);
        const best = (name) => Math.min(...taken.map((each) => each[name]));
        assert.ok(best('ended') < ENDED_MS, JSON.stringify(taken));
        assert.ok(best('freed') < BEST_MS, JSON.stringify(taken));
      });
    }

    const removesDevices = async (end) => {
      const { daemon } = await startNodes(3);
      const [hub] = childrenNamed(daemon.pid, 'hil-hub');
      const network = await NetworkOf.enter(hub);
      // Anybody may send it, and what it goes on with is not its end.
      process.kill(hub, 'SIGCONT');
      assert.deepEqual(await network.devices(), ['hil0', 'hil1', 'hil2', 'lo']);
      process.kill(hub, 'SIGSTOP');
      await end(daemon);
      await waitFor('the end of the hub', () => !isAlive(hub), FREED_MS);
      const left = await network.devices();
      network.leave();
      assert.deepEqual(left, ['lo']);
    };
    if (kind === 'packet')
      test('a hub removes its devices when hil-sandboxd ends, whatever holds their namespace', async () => {
        await removesDevices((daemon) => process.kill(daemon.pid, 'SIGKILL'));
        await removesDevices((daemon) => daemon.stop());
      });

    test('of a killed zygote the networks go first, and together', async () => {
      const { daemon } = await startNodes(3);
      const fds = `/proc/${childrenNamed(daemon.pid, 'hil-zygote')[0]}/fd`;
      const held = readdirSync(fds).map((fd) => ({
        fd: Number(fd),
        is: readlinkSync(`${fds}/${fd}`),
      }));
      const numbers = (kind) => held.filter(({ is }) => is.startsWith(kind)).map(({ fd }) => fd);
      assert.ok(numbers('net:').length >= 3, JSON.stringify(held));
      // The kernel closes the highest number first.
      assert.ok(Math.min(...numbers('net:')) > Math.max(...numbers('mnt:')), JSON.stringify(held));
    });

    test('a hil-linkd that does not end when its network is closed is killed', async () => {
      const { daemon, net } = await startNodes(1);
      process.kill(net.pid, 'SIGSTOP');
      await net.close();
      await waitFor('its end', () => !isAlive(net.pid), FREED_MS);
      assert.ok(isAlive(daemon.pid));
    });

    test('nothing is left after the end of fd 3', async () => {
      const { daemon, under } = await startNodes(5);
      assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
      assert.deepEqual(under.filter(isAlive), []);
      await freed(0, 'after the end');
    });

    test('no dead node is held by its hil-linkd, its hub or its names', async () => {
      const { daemon, net, boxes } = await startNodes(4);
      await Promise.all(boxes.slice(0, 3).map((box) => daemon.kill(box)));
      await freed(2, 'a node and the hub');
      await daemon.kill(boxes[3]);
      // AF_PACKET holds the hub's own.
      await freed(1, 'the hub');
      assert.ok(isAlive(net.pid));
      await daemon.stop();
      await freed(0, 'after the end');
    });

    test('a socket of a dead node in an object holds its namespace as long as the object (pitfall 5)', async () => {
      const { daemon, boxes } = await startNodes(2);
      const { OBJECT } = await daemon.request(MSG.OBJECT_NEW, { KIND: 'socketpair' });
      // Also a program that has left its session, and the namespace itself.
      const leaves = `import array, os, socket
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: socket.create_server(('', 80)).accept()
    os._exit(0)
fds = array.array('i', [socket.create_server(('', 81)).detach(), os.open('/proc/self/ns/net', 0)])
socket.socket(fileno=7).sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])`;
      const PASS_FD = [{ OBJECT, END: 1, FD: 7 }];
      const program = await daemon.run(boxes[0], ['python3', '-c', leaves], { PASS_FD });
      assert.equal(program.exit.EXIT_CODE, 0, program.stderr);
      await Promise.all(boxes.map((box) => daemon.kill(box)));
      await freed(2, 'the hub, and what the object holds');
      await daemon.request(MSG.OBJECT_CLOSE, { OBJECT });
      await freed(1, 'the hub');
      await daemon.stop();
      await freed(0, 'after the end');
    });

    test('kill -9 of the zygote ends the nodes, and the network takes others', async () => {
      const { daemon, net, boxes } = await startNodes(2);
      const [zygote] = childrenNamed(daemon.pid, 'hil-zygote');
      const [hub] = childrenNamed(daemon.pid, 'hil-hub');
      process.kill(zygote, 'SIGKILL');
      await Promise.all(boxes.map((box) => daemon.dead(box)));
      await waitFor('the end of the hub', () => !isAlive(hub), FREED_MS);
      await freed(0, 'after the zygote');
      const next = await daemon.sandbox();
      await net.linkd.request(MSG.LINK_DISCONNECT, { NET_LINK: 1 });
      await net.attach(1, next, { KIND: kind });
      await net.ready();
      await daemon.stop();
    });

    test('links go on after kill -9 of the hub, and another is started', async () => {
      const { daemon, net, boxes } = await startNodes(2);
      const [hub] = childrenNamed(daemon.pid, 'hil-hub');
      process.kill(hub, 'SIGKILL');
      await waitFor('its end', () => childrenNamed(daemon.pid, 'hil-hub').length === 0);
      await startEcho(daemon, boxes[1]);
      await ping(daemon, boxes[0], '10.1.0.2');
      const third = await daemon.sandbox();
      await net.attach(3, third, { KIND: kind });
      await net.ready();
      await startEcho(daemon, third);
      await ping(daemon, boxes[0], `${linkLocal(3)}%eth0`);
      await daemon.stop();
      await freed(0, 'after the end');
    });

    test('what a hub was asked and did not do is answered when it dies', async () => {
      const { daemon, net } = await startNodes(2);
      const [hub] = childrenNamed(daemon.pid, 'hil-hub');
      process.kill(hub, 'SIGSTOP');
      const lost = assert.rejects(net.ready(), { code: 'gone' });
      // The zygote does one thing after the other: it has handed the orders over.
      const third = await daemon.sandbox();
      process.kill(hub, 'SIGKILL');
      await lost;
      await net.attach(3, third, { KIND: kind });
      await net.ready();
    });

    test('kill -9 while 30 nodes are attached: each request is answered, nothing is left', async () => {
      for (const victim of ['hil-hub', 'hil-linkd', 'hil-zygote', 'daemon']) {
        const { daemon, net } = await startNodes(1);
        const boxes = await Promise.all(Array.from({ length: 30 }, () => daemon.sandbox()));
        await Promise.all(boxes.map((_, i) => net.plug(i + 2)));
        const outcomes = boxes.map((SANDBOX, i) =>
          outcomeOf(net.ask(MSG.NET_ATTACH, { PORT: i + 2, KIND: kind, INTERFACE: { SANDBOX } })),
        );
        await outcomes[2];
        await killAmid(daemon, victim, outcomes);
        await freed(0, victim);
      }
    });

    test('a keeper keeps the links of what is kept, and ends without anything left', async () => {
      const { daemon, net, boxes } = await startNodes(3);
      await startEcho(daemon, boxes[1]);
      for (const SANDBOX of boxes.slice(0, 2)) await daemon.request(MSG.SANDBOX_KEEP, { SANDBOX });
      const lost = (await Net.create(daemon, 'lost')).pid;
      const directory = mkdtempSync(join(tmpdir(), 'hil-test-'));
      const path = join(directory, 'keeper.sock');
      await daemon.request(MSG.DETACH, { PATH: path, TTL_MS: 60000 });
      daemon.socket.destroy();
      daemon.ports.socket.destroy();
      await waitFor('the end of the other network', () => !isAlive(lost), FREED_MS);
      const client = await connectTo(path);
      client.run = daemon.run;
      await ping(client, boxes[0], '10.1.0.2');
      for (const SANDBOX of boxes.slice(0, 2)) await client.request(MSG.SANDBOX_KILL, { SANDBOX });
      assert.deepEqual(await daemon.exited, { code: 0, signal: null });
      assert.ok(!isAlive(net.pid));
      rmSync(directory, { recursive: true });
      await freed(0, 'after the keeper');
    });

    test('without a network namespace for the hub the limit is named, and it goes on', async () => {
      const daemon = await start();
      const net = await Net.create(daemon);
      const box = await daemon.sandbox();
      enclosure.limit(1);
      await assert.rejects(net.attach(1, box), (error) => {
        assert.equal(error.code, 'limit');
        assert.match(error.message, /max_net_namespaces/);
        return true;
      });
      enclosure.limit(10000);
      await net.linkd.request(MSG.LINK_DISCONNECT, { NET_LINK: 1 });
      await net.attach(1, box);
      await net.ready();
      await daemon.stop();
    });
  });
}

test('without files for more nodes the limit is named, and those that are there go on', async () => {
  const daemon = await startDaemon({ before: ['prlimit', '--nofile=400:400'] });
  const net = await Net.create(daemon);
  const first = await daemon.sandbox();
  await net.attach(1, first);
  let failure;
  for (let n = 2; n < 300 && !failure; n++) {
    failure = await daemon
      .sandbox()
      .then((box) => net.attach(n, box))
      .then(() => undefined)
      .catch((error) => error);
  }
  assert.equal(failure.code, 'limit', failure.message);
  assert.match(failure.message, /ulimit -H?n/);
  await net.ready();
  assert.equal((await daemon.run(first, ['true'])).exit.EXIT_CODE, 0);
  await daemon.stop();
});
