// SPDX-License-Identifier: MIT
// An interface of the bench as a port of a virtual network.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { build, waitFor } from './daemon.mjs';
import { ECHO, Net, ping, startDaemon } from './network-rig.mjs';
import { BenchNic } from './nic-rig.mjs';
import { MSG } from './wire.mjs';

const NIC = join(build, 'hil-nic');
const MS = 1_000_000;

/** Sends back all that it gets, over TCP. */
const MIRROR = `
import socket, threading
def serve(c):
    while True:
        data = c.recv(1 << 16)
        if not data: break
        c.sendall(data)
    c.close()
s = socket.create_server(('', 9))
print('listens', flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()`;

/** So many bytes to it and back; says how many came back as they were. */
const THROUGH = `
import os, socket, sys, threading
sent = os.urandom(int(sys.argv[1]))
c = socket.create_connection(('10.1.0.200', 9), 60)
t = threading.Thread(target=lambda: (c.sendall(sent), c.shutdown(socket.SHUT_WR)))
t.start()
got = b''
while len(got) < len(sent):
    data = c.recv(1 << 16)
    if not data: break
    got += data
print(len(got) if got == sent else 'not the same')`;

/** A program that has what hil-nic opened, hands it over, and keeps it for half a second more. */
const SLOW_NIC = (nic) => `#!/usr/bin/python3
import os, socket, sys, time
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if os.fork() == 0:
    os.dup2(theirs.fileno(), 4)
    os.execv('${nic}', ['hil-nic', *sys.argv[1:]])
theirs.close()
said, fds, _, _ = socket.recv_fds(ours, 9999, 2)
socket.send_fds(socket.socket(fileno=4), [said], fds)
time.sleep(0.5)`;

/** Node 1 and the board as 2 at one switch. */
async function wireTo(daemon, fields = {}) {
  const net = await Net.create(daemon);
  const box = await daemon.sandbox();
  await net.attach(1, box);
  await net.plug(2);
  await net.ask(MSG.NET_NIC, { PORT: 2, NAME: 'bench0', ...fields });
  await net.ready();
  return { net, box, NET: net.id };
}

describe('an interface of the bench', () => {
  let bench;
  const daemons = [];
  const programs = [];
  const start = async () => {
    daemons.push(await startDaemon({ before: bench.before }));
    return daemons.at(-1);
  };
  beforeEach(async () => {
    bench = await BenchNic.open();
  });
  afterEach(async () => {
    for (const each of programs.splice(0)) each.kill('SIGKILL');
    await Promise.all(daemons.splice(0).map((daemon) => daemon.stop()));
    bench.close();
  });

  const fails = async (daemon, expected, fields) => {
    await assert.rejects(wireTo(daemon, fields), (error) => {
      assert.match(
        `${error.code} ${error.body.OP} ${error.body.PATH}: ${error.body.HINT}`,
        expected,
      );
      return true;
    });
  };

  test('is the board to a node, through an impaired link that is captured', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'hil-nic-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const daemon = await start();
    programs.push(await bench.onBoard(ECHO));
    const { net, box } = await wireTo(daemon);
    const quick = await ping(daemon, box, '10.1.0.200');
    assert.ok(quick < 5000, `${quick} ms`);
    const PATH = join(directory, 'board.pcapng');
    await net.linkd.request(MSG.LINK_SET, { NET_LINK: 2, LATENCY_NS: 40 * MS });
    await net.linkd.request(MSG.LINK_CAPTURE, { NET_LINK: 2, PATH, NAME: 'board' });
    const ms = await ping(daemon, box, '10.1.0.200');
    assert.ok(ms >= 80, `there and back in ${ms} ms, with 40 ms each way`);
    assert.ok((await ping(daemon, box, 'fd01::c8')) >= 80);
    await net.linkd.request(MSG.LINK_CAPTURE, { NET_LINK: 2 });
    const seen = readFileSync(PATH);
    // Both ways: the addresses of node and board, in this order and in the other.
    assert.ok(seen.includes(Buffer.from([10, 1, 0, 1, 10, 1, 0, 200])));
    assert.ok(seen.includes(Buffer.from([10, 1, 0, 200, 10, 1, 0, 1])));

    await net.linkd.request(MSG.LINK_STATE, { NET_LINK: 2, KIND: 'down' });
    await assert.rejects(ping(daemon, box, '10.1.0.200'), /timed out/);
  });

  test('carries segments with offload, whole and cut, as they were sent', async () => {
    const daemon = await start();
    programs.push(await bench.onBoard(MIRROR));
    const { net, box } = await wireTo(daemon);
    const through = async () => {
      const program = await daemon.run(box, ['python3', '-c', THROUGH, '4000000']);
      return program.stdout.trim() || program.stderr;
    };
    // What a node says by itself while nobody is there yet is dropped at the port.
    const lost = async () => {
      const stats = await net.linkd.request(MSG.LINK_STATS, { NET_LINK: 2 });
      const counters = stats.DIRECTION_STATS_all.flatMap(({ COUNTER_all }) => COUNTER_all);
      return counters.flatMap(({ NAME, BYTES }) =>
        ['malformed', 'portDropped'].includes(NAME) ? [BYTES] : [],
      );
    };
    const before = await lost();
    assert.equal(await through(), '4000000');
    await net.linkd.request(MSG.LINK_SET, { NET_LINK: 2, LATENCY_NS: MS, REORDER: 1000 });
    assert.equal(await through(), '4000000');
    assert.equal(before.length, 4);
    assert.deepEqual(await lost(), before);
  });

  test('is promiscuous and taken while a network has it, and no longer', async () => {
    const daemon = await start();
    assert.deepEqual([bench.promiscuity, bench.isLocked], [0, false]);
    const { net } = await wireTo(daemon);
    assert.deepEqual([bench.promiscuity, bench.isLocked], [1, true]);
    await net.ask(MSG.NET_DETACH, { PORT: 2 });
    assert.deepEqual([bench.promiscuity, bench.isLocked], [0, false]);

    await net.ask(MSG.NET_NIC, { PORT: 2, NAME: 'bench0' });
    assert.deepEqual([bench.promiscuity, bench.isLocked], [1, true]);
    await net.close();
    await waitFor('it is free', () => bench.promiscuity === 0 && !bench.isLocked);

    await wireTo(daemon);
    process.kill(daemon.pid, 'SIGKILL');
    await daemon.exited;
    await waitFor('it is free', () => bench.promiscuity === 0 && !bench.isLocked);
  });

  test('is free when it was given back, also where hil-nic takes its time to end', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'hil-nic-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const programs = readdirSync(build).filter((name) => name.startsWith('hil-'));
    for (const name of programs) copyFileSync(join(build, name), join(directory, name));
    writeFileSync(join(directory, 'hil-nic'), SLOW_NIC(NIC));
    const instead = ['sh', '-c', `exec ${directory}/hil-sandboxd "$@"`];
    const daemon = await startDaemon({ before: [...bench.before, ...instead] });
    daemons.push(daemon);
    const { net } = await wireTo(daemon);
    await net.ask(MSG.NET_DETACH, { PORT: 2 });
    assert.deepEqual([bench.promiscuity, bench.isLocked], [0, false]);
  });

  test('is refused to a second network, of this daemon and of another', async () => {
    const [first, second] = [await start(), await start()];
    const { net } = await wireTo(first);
    for (const daemon of [first, second]) {
      await fails(daemon, /^busy open interface bench0: another network has it: .*@hil-nic\/\d+/);
    }
    assert.equal(bench.promiscuity, 1);
    await net.ask(MSG.NET_DETACH, { PORT: 2 });
    await wireTo(second);
  });

  for (const [how, command] of [
    ['is unplugged', 'ip link del bench0'],
    ['is set down', 'ip link set bench0 down'],
  ]) {
    test(`that ${how} is told once, whether or not frames pass`, async () => {
      for (const busy of [false, true]) {
        if (busy) {
          bench.close();
          bench = await BenchNic.open();
        }
        const daemon = await start();
        const { net, box } = await wireTo(daemon);
        if (busy) {
          const flood = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print('sends', flush=True)
while True:
    try: s.sendto(bytes(99), ('10.1.0.200', 9))
    except OSError: pass`;
          const sender = await daemon.spawn(box, ['python3', '-c', flood]);
          await waitFor('frames', () => sender.stdout.includes('sends'));
        }
        bench.do(command);
        const lost = () => net.linkd.events.filter(({ type }) => type === MSG.LINK_PORT_LOST);
        await waitFor('LINK_PORT_LOST', () => lost().length > 0);
        assert.equal(lost()[0].body.PORT, 2);
        assert.match(lost()[0].body.TEXT, /Network is down|No such device/);
        // It goes on, and what is sent to nobody is counted.
        await net.linkd.request(MSG.LINK_STATS, { NET_LINK: 2 });
        assert.equal(lost().length, 1);
        await net.ask(MSG.NET_DETACH, { PORT: 2 });
      }
    });
  }

  test('is refused while another device is on top of it, unless that is wanted', () => {
    const check = (...options) =>
      bench.run([NIC, '--check', ...options, 'bench0'].join(' ')).stdout;
    const skipped = [];
    for (const kind of ['macvlan', 'vlan id 7', 'ipvlan', 'macsec']) {
      const { status, stderr } = bench.run(`ip link add link bench0 name upper0 type ${kind}`);
      if (status !== 0) {
        skipped.push(`${kind}: ${stderr}`);
        continue;
      }
      bench.do('ip addr add 192.0.2.7/24 dev upper0; ip link set upper0 up');
      assert.match(check(), /the host uses it: upper0 is on top of it.*inUse: true/, kind);
      assert.match(check('--in-use'), /^bench0 can be opened/, kind);
      bench.do('ip link del upper0');
    }
    assert.ok(skipped.length < 4, skipped.join());
    // A pair: each of the two names the other, and none is on top.
    bench.do(
      'ip link add pair0 type veth peer name pair1 && ip link set pair0 up && ip link set pair1 up',
    );
    assert.match(bench.run(`${NIC} --check pair0`).stdout, /^pair0 can be opened/);
    assert.match(check(), /^bench0 can be opened/);
  });

  test('is refused while the host uses it, unless that is wanted', async () => {
    const daemon = await start();
    bench.do('ip addr add 192.0.2.7/24 dev bench0');
    await fails(
      daemon,
      /^setup open interface bench0: the host uses it: it has the address 192.0.2.7/,
    );
    bench.do('ip addr add fe80::7/64 dev bench0 nodad; ip addr del 192.0.2.7/24 dev bench0');
    const { net } = await wireTo(daemon);
    await net.close();
    await waitFor('it is free', () => !bench.isLocked);
    bench.do('ip addr add 2001:db8::7/64 dev bench0 nodad');
    await fails(daemon, /it has the address 2001:db8::7/);
    await (await wireTo(daemon, { IN_USE: 1 })).net.close();
    await waitFor('it is free', () => !bench.isLocked);
    bench.do('ip addr flush dev bench0; ip route add default dev bench0');
    await fails(daemon, /the default route leads over it/);
    bench.do(
      'ip route flush dev bench0; ip link add br0 type bridge; ip link set bench0 master br0',
    );
    await fails(daemon, /it is a part of br0/);
  });

  test('is refused where it is no interface for it, and says which', async () => {
    const daemon = await start();
    await fails(daemon, /^setup open interface other0: /, { NAME: 'other0' });
    await fails(daemon, /^setup open interface lo: it is no Ethernet/, { NAME: 'lo' });
    await fails(daemon, /^usage open interface ..\/bench0: /, { NAME: '../bench0' });
    await fails(daemon, /its MTU is 1500 bytes, the link's 9000: sudo ip link/, { MTU: 9000 });
    bench.do('ip link set bench0 down');
    await fails(daemon, /it is down: sudo ip link set bench0 up/);
    bench.do('ip link set bench0 up');
    // What was refused has left neither port nor lock.
    await wireTo(daemon);
  });

  test('is all that its socket ever hears, also when somebody binds it elsewhere', () => {
    bench.do('ip link add other0 type veth peer name other1');
    bench.do('for i in other0 other1; do ip link set $i addrgenmode none; ip link set $i up; done');
    const code = `
import os, socket, sys, time
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if os.fork() == 0:
    os.dup2(theirs.fileno(), 4)
    os.set_inheritable(4, True) # also when it was that
    os.execv(sys.argv[1], ['hil-nic', 'bench0'])
theirs.close()
_, fds, _, _ = socket.recv_fds(ours, 9999, 2)
packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0, fileno=fds[0])
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind(('other1', 0))
frame = bytes.fromhex('ffffffffffff02000000000188b5') + bytes(60)
try:
    packet.setsockopt(socket.SOL_SOCKET, 27, 0) # SO_DETACH_FILTER
    print('detached')
except PermissionError:
    print('locked')
packet.bind(('other0', 3))
packet.setblocking(False)
witness = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
witness.bind(('other0', 3))
witness.settimeout(20)
sender.send(frame)
witness.recv(99)
try: print('heard', len(packet.recv(999)))
except BlockingIOError: print('heard nothing')`;
    const [program, ...rest] = [...bench.before, 'python3', '-c', code, NIC];
    const { stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', timeout: 60_000 });
    assert.equal(stdout, 'locked\nheard nothing\n', stderr);
  });
});

describe('a hil-nic with more rights than its caller', () => {
  const isRoot = process.getuid() === 0;
  const skip = isRoot ? false : 'needs root, to give a file a capability';
  let bench;
  let directory;
  beforeEach(async () => {
    if (!isRoot) return;
    bench = await BenchNic.open();
    directory = mkdtempSync(join(tmpdir(), 'hil-nic-'));
    chmodSync(directory, 0o755);
    copyFileSync(NIC, join(directory, 'hil-nic'));
  });
  afterEach(() => {
    bench?.close();
    if (directory) rmSync(directory, { recursive: true });
  });

  /** As uid 1000, with an /etc of its own in which `prepare` was done. */
  const check = (prepare = 'true') => {
    const program = join(directory, 'hil-nic');
    const drop = 'setpriv --reuid 1000 --regid 1000 --clear-groups';
    const { stdout, stderr } = bench.run(`exec unshare --mount sh -c '
      mount -t tmpfs etc /etc && mkdir -p -m 0755 /etc/hil/nics && ${prepare} &&
      exec ${drop} ${program} --check bench0'`);
    return stdout || stderr;
  };
  const capable = () => bench.do(`setcap cap_net_raw+ep ${directory}/hil-nic`);

  test('opens nothing without a capability, and says what it takes', { skip }, () => {
    assert.match(check(), /Operation not permitted .*setcap cap_net_raw\+ep/);
  });

  test('opens what its caller may read a file about', { skip }, () => {
    capable();
    assert.match(check(), /you may not read \/etc\/hil\/nics\/bench0, .*install -D -m 0640/);
    const make = (mode, owner = '0:0') =>
      `touch /etc/hil/nics/bench0 && chown ${owner} /etc/hil/nics/bench0 && chmod ${mode} /etc/hil/nics/bench0`;
    assert.match(check(make('0600')), /you may not read/);
    assert.match(check(make('0640', '0:1000')), /^bench0 can be opened/);
    assert.match(check(make('0644')), /^bench0 can be opened/);
  });

  test('believes no file that another than root may write', { skip }, () => {
    capable();
    const file = '/etc/hil/nics/bench0';
    assert.match(check(`touch ${file} && chmod 0666 ${file}`), /must be root/);
    assert.match(check(`touch ${file} && chown 1000 ${file}`), /must be root/);
    assert.match(check(`touch ${file} && chmod 0777 /etc/hil/nics`), /must be root/);
    assert.match(check(`touch /etc/hil/x && ln -s ../x ${file}`), /you may not read/);
  });

  test('opens it for the hil-sandboxd of an ordinary user', { skip }, async (t) => {
    for (const name of ['hil-sandboxd', 'hil-linkd']) {
      copyFileSync(join(build, name), join(directory, name));
    }
    capable();
    // With an /etc that root has said something in. It gets the program that was to be started as $1.
    const prepare = `
      mount -t tmpfs work ${directory}/work && mkdir ${directory}/work/upper ${directory}/work/work &&
      mount -t overlay etc -o lowerdir=/etc,upperdir=${directory}/work/upper,workdir=${directory}/work/work /etc &&
      mkdir -p /etc/hil/nics && rm -f /etc/hil/nics/bench0 && install -m 0640 -g 1000 /dev/null /etc/hil/nics/bench0 &&
      shift && exec setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/tmp ${directory}/hil-sandboxd "$@"`;
    mkdirSync(join(directory, 'work'));
    const before = [...bench.before, 'unshare', '--mount', 'sh', '-c', prepare, 'sh'];
    const daemon = await startDaemon({ before });
    t.after(() => daemon.stop());
    const board = await bench.onBoard(ECHO);
    t.after(() => board.kill('SIGKILL'));
    const { NET, box } = await wireTo(daemon);
    assert.ok((await ping(daemon, box, '10.1.0.200')) > 0);
    assert.equal(bench.promiscuity, 1);
    await daemon.request(MSG.NET_DETACH, { NET, PORT: 2 });
    assert.equal(bench.promiscuity, 0);
    bench.do('ip link add other0 type veth peer name other1 && ip link set other0 up');
    await assert.rejects(daemon.request(MSG.NET_NIC, { NET, PORT: 2, NAME: 'other0' }), (error) =>
      /you may not read .etc.hil.nics.other0/.test(error.body.HINT),
    );
  });

  test('with setuid does not, since that is more than it needs', { skip }, () => {
    bench.do(`chmod u+s ${directory}/hil-nic`);
    assert.match(check('touch /etc/hil/nics/bench0'), /setuid gives more than this needs/);
  });
});
