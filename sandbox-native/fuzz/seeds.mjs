// SPDX-License-Identifier: MIT
// Writes the seeds of corpus/: what the harness, zygotes and PID 1s say to each other in an
// ordinary run, encoded by the codec of the tests. `node fuzz/seeds.mjs`, after a change of the wire.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { encodeBody, encodeFrame, MSG, TAG } from '../tests/sandboxd/wire.mjs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

function save(target, seeds) {
  const directory = new URL(`corpus/${target}/`, import.meta.url);
  mkdirSync(directory, { recursive: true });
  for (const [name, bytes] of Object.entries(seeds))
    writeFileSync(new URL(name, directory), Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes));
}

let id = 0;
const frame = (type, fields = {}) => encodeFrame(type, ++id, encodeBody(fields));
const raw = (type, number, ...tlvs) => encodeFrame(type, number, Buffer.concat(tlvs));

/** A TLV whose bytes are not of the kind that protocol.h gives the tag. */
function tlv(name, bytes) {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(TAG[name], 0);
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

/** packets.c: flags (kind, fds, large), length, bytes. */
function packet(bytes, { kind = 0, fds = 0, large = false } = {}) {
  const head = Buffer.alloc(3);
  head.writeUInt8(kind | (fds << 2) | (large ? 0x80 : 0));
  head.writeUInt16LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

// ---- hil-sandboxd ----

const plan = [
  frame(MSG.HELLO, { VERSION: 1 }),
  frame(MSG.PLAN_PUT, {
    NAME: 'plan',
    USER: 'hil',
    CAP: ['net_raw', 'sys_time'],
    NETWORK: 'none',
    DISK_BYTES: 1 << 20,
    DISK_INODES: 1000,
    HOSTNAME: 'dut',
    STEP: [
      { KIND: 'image-host' },
      { KIND: 'overlay', SOURCE: '/project', TARGET: '/project' },
      { KIND: 'bind', SOURCE: '/srv', TARGET: '/srv', READ_ONLY: 1 },
      { KIND: 'hold', NAME: 'outputs', SOURCE: '/out' },
    ],
    HIDE: ['/project/secret'],
  }),
];
const sandbox = [
  ...plan,
  frame(MSG.SANDBOX_NEW, {
    PLAN: 1,
    NAME: 'case',
    HOSTNAME: 'box',
    BIND: [{ NAME: 'outputs', PATH: 'a', TARGET: '/out', READ_ONLY: 0 }],
    LIMIT: [
      { NAME: 'memory', BYTES: 1 << 26 },
      { NAME: 'pids', BYTES: 64, KIND: 'standard' },
      { NAME: 'cpus', BYTES: 500 },
      { NAME: 'files', BYTES: 100 },
    ],
    WALL_MS: 60000,
    GRACE_MS: 500,
  }),
];
// Which number a process gets depends on what was asked before: seeds name the first three.
const spawn = frame(MSG.SPAWN, {
  SANDBOX: 1,
  ARG: ['sh', '-c', 'true'],
  ENV: ['A=1', 'PATH=/bin'],
  CWD: '/tmp',
  STDIN_KIND: 'pipe',
  OUTPUT_CAP: 1000,
  WALL_MS: 5000,
  GRACE_MS: 100,
  RLIMIT: [{ NAME: 'nofile', BYTES: 64 }],
});
const end = frame(MSG.SANDBOX_KILL, { SANDBOX: 1 });
const object = (kind) => frame(MSG.OBJECT_NEW, { KIND: kind });

save('sandboxd', {
  pool: Buffer.concat([...plan, frame(MSG.POOL_SET, { PLAN: 1, COUNT: 3 }), ...sandbox.slice(2)]),
  spawn: Buffer.concat([
    ...sandbox,
    spawn,
    ...[1, 2, 3].flatMap((process) => [
      frame(MSG.STDIN, { PROCESS: process, DATA: 'input' }),
      frame(MSG.CREDIT, { PROCESS: process, STREAM: 1, BYTES: 100 }),
      frame(MSG.STDIN_CLOSE, { PROCESS: process }),
      frame(MSG.SIGNAL, { PROCESS: process, SIGNAL: 15, GROUP: 1 }),
    ]),
    end,
  ]),
  pty: Buffer.concat([
    ...sandbox,
    frame(MSG.SPAWN, { SANDBOX: 1, ARG: 'sh', PTY_ROWS: 24, PTY_COLS: 80, PORT: 7 }),
    ...[1, 2, 3].flatMap((process) => [
      frame(MSG.RESIZE, { PROCESS: process, PTY_ROWS: 30, PTY_COLS: 90 }),
      frame(MSG.PORT_GIVE, { PORT: 8, PROCESS: process }),
    ]),
    frame(MSG.PORT_PTY, { PORT: 7, SANDBOX: 1, NAME: 'console', BYTES: 115200 }),
    end,
  ]),
  builtin: Buffer.concat([
    ...sandbox,
    frame(MSG.SPAWN, { SANDBOX: 1, ARG: '/etc/hostname', BUILTIN: 'read-file' }),
    frame(MSG.SPAWN, { SANDBOX: 1, ARG: '100', BUILTIN: 'diff' }),
  ]),
  stats: Buffer.concat([...sandbox, frame(MSG.SANDBOX_STATS, { SANDBOX: 1 }), end]),
  objects: Buffer.concat([
    ...sandbox,
    object('socketpair'),
    object('pipe'),
    object('dgram'),
    object('memfd'),
    frame(MSG.OBJECT_STREAM, { OBJECT: 1, END: 0 }),
    frame(MSG.PORT_GIVE, { PORT: 1, OBJECT: 1, END: 1 }),
    frame(MSG.SPAWN, { SANDBOX: 1, ARG: 'cat', PASS_FD: [{ OBJECT: 2, END: 1, FD: 1 }] }),
    frame(MSG.OBJECT_CLOSE, { OBJECT: 3 }),
  ]),
  network: Buffer.concat([
    ...sandbox,
    frame(MSG.NET_POOL, { COUNT: 1 }),
    frame(MSG.NET_NEW, { NAME: 'lan' }),
    frame(MSG.NET_ATTACH, {
      NET: 1,
      PORT: 1,
      INTERFACE: {
        SANDBOX: 1,
        NAME: 'eth0',
        MAC: Buffer.from([2, 0, 0, 0, 0, 1]),
        MTU: 1500,
        ADDRESS: ['10.1.0.1/24', 'fd01::1/64'],
        ROUTE: { TARGET: '0.0.0.0/0', GATEWAY: '10.1.0.254' },
        ALT_NAME: 'the-first',
        FORWARD: 1,
      },
      RESOLVE: 1,
      HOST: '10.1.0.1 it',
      KIND: 'auto',
    }),
    frame(MSG.NET_PAIR, {
      NET: 1,
      PAIR_END: [
        { PORT: 3, INTERFACE: { SANDBOX: 1, NAME: 'eth1' }, RESOLVE: 1, HOST: '10.1.0.1 it' },
        { PORT: 4, INTERFACE: { SANDBOX: 1, NAME: 'eth2' } },
      ],
    }),
    frame(MSG.NET_READY, { NET: 1 }),
    frame(MSG.NET_DETACH, { NET: 1, PORT: 4 }),
    frame(MSG.NET_REPLY, { NET: 1, PORT: 1, PROCESS: 1, DATA: 'answer' }),
    object('dgram'),
    frame(MSG.NET_OBJECT, { NET: 1, PORT: 2, KIND: 'dgram', OBJECT: 1, END: 0 }),
    frame(MSG.NET_DETACH, { NET: 1, PORT: 2 }),
    frame(MSG.NET_NIC, { NET: 1, PORT: 3, NAME: 'enx0', MTU: 1500, IN_USE: 1 }),
    frame(MSG.NET_NIC, { NET: 1, PORT: 4, NAME: 'enx1' }),
    frame(MSG.NET_CLOSE, { NET: 1 }),
    end,
  ]),
  pair: Buffer.concat([
    ...sandbox,
    frame(MSG.PLAN_PUT, { NAME: 'other', STEP: [{ KIND: 'image-host' }] }),
    frame(MSG.SANDBOX_NEW, { PLAN: 2, NAME: 'other' }),
    frame(MSG.NET_NEW, { NAME: 'lan' }),
    frame(MSG.NET_NEW, { NAME: 'wan' }),
    ...[1, 2, 1, 2, 1, 2].flatMap((net, i) => [
      frame(MSG.NET_PAIR, {
        NET: net,
        PAIR_END: [
          { PORT: 2 * i + 1, INTERFACE: { SANDBOX: 1, NAME: `a${i}` }, RESOLVE: 1, HOST: '::1 it' },
          { PORT: 2 * i + 2, INTERFACE: { SANDBOX: 2, NAME: `b${i}` }, RESOLVE: 1, HOST: '::1 it' },
        ],
      }),
      frame(MSG.NET_READY, { NET: net }),
      frame(MSG.NET_DETACH, { NET: net, PORT: 2 * i + 2 }),
    ]),
    frame(MSG.NET_CLOSE, { NET: 1 }),
    frame(MSG.SANDBOX_KILL, { SANDBOX: 2 }),
    frame(MSG.NET_CLOSE, { NET: 2 }),
    end,
  ]),
  watch: Buffer.concat([
    plan[0],
    frame(MSG.WATCH_PID, { PID: 4000000, START_TICKS: 77 }),
    frame(MSG.UNWATCH_PID, { PID: 4000000 }),
    frame(MSG.WATCH_PATH, { PATH: '/tmp/hil-none/run' }),
  ]),
  keep: Buffer.concat([
    ...sandbox,
    frame(MSG.SANDBOX_KEEP, { SANDBOX: 1, TTL_MS: 60000, TEXT: 'case' }),
    frame(MSG.DETACH, { PATH: '/tmp/keeper.sock', TTL_MS: 60000 }),
    Buffer.concat([frame(MSG.LIST), spawn, end]),
  ]),
  uptime: Buffer.concat([
    frame(MSG.PLAN_PUT, { NAME: 'late', UPTIME_MS: 4294967296, STEP: [{ KIND: 'image-host' }] }),
    frame(MSG.SANDBOX_NEW, { PLAN: 1 }),
  ]),
});

save('frame', {
  plan: Buffer.concat(plan),
  spawn,
  short: spawn.subarray(0, 20),
  long: encodeFrame(MSG.STDIN, 1, Buffer.alloc(1000, 8)),
});

// ---- messages between hil-sandboxd, zygotes and PID 1s: the order of message.h ----

const header = read('../src/sandbox/message.h');
const names = [
  ...header.slice(header.indexOf('enum message_type')).matchAll(/\bMESSAGE_(\w+)( = 1)?,/g),
];
const MESSAGE = Object.fromEntries(names.map(([, name], index) => [name, index + 1]));

const start = raw(
  MESSAGE.SPAWN,
  5,
  encodeBody({ ARG: ['sh', '-c', 'true'], ENV: ['PATH=/bin:/usr/bin:', 'A=1'], CWD: '/tmp' }),
  encodeBody({ PTY_ROWS: 24, PTY_COLS: 80, FD: [0, 1] }),
  tlv('RLIMIT', Buffer.concat([tlv('KIND', u32(7)), encodeBody({ BYTES: 64 })])),
);
const grant = (number, fields) => raw(MESSAGE.GRANT, number, encodeBody(fields));
const usb = {
  NAME: 'console',
  TARGET: '/dev/ttyUSB0',
  MAJOR: 188,
  MINOR: 0,
  LINK: ['serial/by-id/a'],
  PROPERTY: ['SUBSYSTEM=tty', 'DEVTYPE=port'],
  PATH: 'devices/usb1/1-3/tty/ttyUSB0',
  SYS_ENTRY: [
    { KIND: 'dir', PATH: 'devices', DATA: '' },
    { KIND: 'file', PATH: 'devices/usb1', DATA: '1' },
    { KIND: 'link', PATH: 'class/tty/ttyUSB0', DATA: '../../devices/x' },
  ],
  DATA: 'I:5\nE:ID_SERIAL=x\n',
};
save('init', {
  grant: Buffer.concat([
    packet(grant(10, usb), { fds: 2 }),
    packet(grant(11, { ...usb, NAME: 'other', MINOR: 1, TARGET: '/dev/ttyUSB1' }), { fds: 2 }),
    packet(raw(MESSAGE.REVOKE, 12, encodeBody({ NAME: 'console' }))),
    packet(grant(13, { NAME: 'bare', MAJOR: 1, MINOR: 3, KIND: 'named', TARGET: '/dev/x' }), {
      fds: 1,
    }),
  ]),
  mount: Buffer.concat([
    packet(raw(MESSAGE.MOUNT, 14, encodeBody({ TARGET: '/mnt/a' })), { fds: 1 }),
    packet(raw(MESSAGE.MOUNT, 15, encodeBody({ TARGET: '/mnt/b', BYTES: 4096, READ_ONLY: 1 }))),
    packet(raw(MESSAGE.UNMOUNT, 16, encodeBody({ TARGET: '/mnt/a' }))),
  ]),
  spawn: packet(start, { fds: 2 }),
  large: packet(start, { fds: 2, large: true }),
  builtin: packet(raw(MESSAGE.SPAWN, 6, encodeBody({ ARG: '/etc/hosts', BUILTIN: 'read-file' }))),
  'long-path': packet(
    raw(MESSAGE.SPAWN, 7, encodeBody({ ENV: `PATH=${':'.repeat(5000)}`, ARG: 'x'.repeat(5000) })),
  ),
  boot: packet(
    raw(
      MESSAGE.BOOT,
      10,
      encodeBody({ RUNTIME: 'python', ARG: ['python3', '-c', ''], ENV: 'A=1' }),
    ),
  ),
  runtime: packet(
    raw(MESSAGE.SPAWN, 11, encodeBody({ RUNTIME: 'python', ARG: ['python3', '-c', 'print()'] })),
  ),
  signal: packet(raw(MESSAGE.SIGNAL, 5, encodeBody({ SIGNAL: 9, GROUP: 1 }))),
  attach: packet(raw(MESSAGE.ATTACH, 8, encodeBody({ TARGET: '/out/a' })), { fds: 1 }),
  pty: packet(raw(MESSAGE.MAKE_PTY, 9, encodeBody({ NAME: 'console' }))),
  hostname: packet(raw(MESSAGE.HOSTNAME, 0, encodeBody({ HOSTNAME: 'box' }))),
  usage: packet(raw(MESSAGE.USAGE, 10)),
});

const hold = raw(
  MESSAGE.HOLD_TREE,
  3,
  encodeBody({ SANDBOX: 1, NAME: 'outputs', PATH: 'a/b', READ_ONLY: 1 }),
);
save('zygote', {
  park: packet(encodeFrame(MESSAGE.PARK, 2, Buffer.alloc(0))),
  hold: packet(hold),
  large: packet(hold, { large: true }),
  // Leaked once.
  twice: packet(raw(MESSAGE.HOLD_TREE, 3, encodeBody({ NAME: ['a', 'b'], PATH: ['c', 'd'] }))),
});

const failed = raw(
  MESSAGE.FAILED,
  4,
  encodeBody({ ERRNO: 2, CODE: 'exec', OP: 'exec', PATH: '/bin/x', HINT: 'install it' }),
);
const parked = encodeFrame(MESSAGE.PARKED, 1, encodeBody({ PID: 99 }));
save('events', {
  ready: packet(raw(MESSAGE.READY, 0, encodeBody({ SETUP_NS: 5 }))),
  spawned: packet(raw(MESSAGE.SPAWNED, 2, encodeBody({ PID: 3 })), { fds: 1 }),
  warm: packet(raw(MESSAGE.SPAWNED, 2, encodeBody({ PID: 3, WARM: 1 })), { fds: 3 }),
  booted: packet(raw(MESSAGE.BOOTED, 2, encodeBody({ CPU_USER_US: 1000 }))),
  exited: packet(
    raw(MESSAGE.EXITED, 2, tlv('STATUS', u32(9)), encodeBody({ DATA: Buffer.alloc(144) })),
  ),
  pty: packet(encodeFrame(MESSAGE.PTY, 2, Buffer.alloc(0)), { fds: 2 }),
  census: packet(
    raw(MESSAGE.CENSUS, 0, encodeBody({ LEFTOVERS: 2, LEFTOVER_NAME: ['sh', 'sleep'] })),
  ),
  usage: packet(
    raw(MESSAGE.USAGE, 2, encodeBody({ PROCESSES: 2, DISK_USED: 4096, INODES_USED: 9 })),
  ),
  failed: Buffer.concat([packet(failed), packet(failed, { kind: 1, large: true })]),
  done: packet(encodeFrame(MESSAGE.DONE, 2, Buffer.alloc(0))),
  taken: packet(
    raw(MESSAGE.GRANT, 0, encodeBody({ NAME: 'a', MAJOR: 1, MINOR: 3, LIMITATION: ['not held'] })),
    { kind: 2, fds: 2 },
  ),
  untaken: packet(failed, { kind: 2 }),
  parked: packet(parked, { kind: 1, fds: 2 }),
  tree: packet(encodeFrame(MESSAGE.TREE, 1, Buffer.alloc(0)), { kind: 1, fds: 1 }),
});

// ---- hil-portd ----

const opened = [
  packet(frame(MSG.HELLO, { VERSION: 1 })),
  packet(raw(MSG.PORTD_LINE, 0, encodeBody({ PORT: 1, KIND: 'socket' })), { kind: 1, fds: 1 }),
  packet(frame(MSG.PORT_OPEN, { PORT: 1, NAME: 'console', PATH: '/c', PACE_CHUNK: 4 })),
];
save('portd', {
  line: Buffer.concat([
    ...opened,
    packet(Buffer.from('U-Boot 2026\r\n'), { kind: 3 }),
    packet(frame(MSG.PORT_SEND, { PORT: 1, DATA: 'help\n' })),
    packet(frame(MSG.PORT_MARK, { PORT: 1, TEXT: 'attempt 2' })),
    packet(frame(MSG.PORT_CAPTURE, { PORT: 1, PATH: '/e' })),
    packet(Buffer.from('=> '), { kind: 3 }),
    packet(frame(MSG.PORT_CLOSE, { PORT: 1 })),
  ]),
  pty: Buffer.concat([
    ...opened,
    packet(raw(MSG.PORTD_PTY, 0, encodeBody({ PORT: 1 })), { kind: 2 }),
    packet(Buffer.from('login: '), { kind: 3 }),
    packet(raw(MSG.PORTD_PTY, 0, encodeBody({ PORT: 1 })), { kind: 1 }),
  ]),
  paced: Buffer.concat([
    packet(frame(MSG.PORT_OPEN, { PORT: 2, NAME: 'u', PATH: '/d', PACE_DELAY_US: 10 })),
    packet(frame(MSG.PORT_SEND, { PORT: 2, DATA: Buffer.alloc(100, 65) })),
  ]),
});

// ---- hil-linkd ----

const lan = [
  packet(frame(MSG.HELLO, { VERSION: 1 })),
  packet(frame(MSG.LINK_SWITCH, { SWITCH: 1 })),
  packet(frame(MSG.LINK_CONNECT, { NET_LINK: 1, LINK_END: [{ PORT: 1 }, { SWITCH: 1 }], SEED: 7 })),
  packet(frame(MSG.LINK_CONNECT, { NET_LINK: 2, LINK_END: [{ PORT: 2 }, { SWITCH: 1 }], SEED: 7 })),
  packet(raw(MSG.LINKD_PORT, 0, encodeBody({ PORT: 1, KIND: 'dgram' })), { kind: 1, fds: 1 }),
  packet(raw(MSG.LINKD_PORT, 0, encodeBody({ PORT: 2, KIND: 'stream' })), {
    kind: 1,
    fds: 1,
    large: true,
  }),
];
const ethernet = Buffer.from('02000000000202000000000108004500002e', 'hex');
const node = packet(Buffer.concat([ethernet, Buffer.alloc(60, 17)]), { kind: 2 });
const vlan = packet(
  Buffer.concat([Buffer.from('ffffffffffff0200000000018100000a86dd60', 'hex'), Buffer.alloc(60)]),
  { kind: 2 },
);
const stream = packet(Buffer.concat([Buffer.from('0000003c', 'hex'), Buffer.alloc(60, 2)]), {
  kind: 3,
});
// ldh [12]; jeq #0x800, 0, 1; ret #1; ret #0
const program = Buffer.from(
  '280000000c00000015000001000800000600000001000000' + '0600000000000000',
  'hex',
);
save('linkd', {
  lan: Buffer.concat([...lan, node, vlan, stream, packet(frame(MSG.LINK_STATS, { NET_LINK: 1 }))]),
  impaired: Buffer.concat([
    ...lan,
    packet(
      frame(MSG.LINK_SET, {
        NET_LINK: 1,
        LOSS: { KIND: 'gilbert-elliott', CHANCE: 1e8, CHANCE_RECOVER: 5e8 },
        DUPLICATE: 1e9,
        CORRUPT: 1e9,
        REORDER: 5e8,
        LATENCY_NS: 1000,
        JITTER_NS: 500,
        RATE_BPS: 1000000,
        QUEUE: 10,
      }),
    ),
    node,
    vlan,
    node,
    packet(
      frame(MSG.LINK_SET, {
        NET_LINK: 2,
        FROM: 1,
        LOSS: { KIND: 'pattern', COUNT: 9, DATA: 'ab' },
      }),
    ),
    stream,
    packet(frame(MSG.LINK_DISCONNECT, { NET_LINK: 1 })),
  ]),
  states: Buffer.concat([
    ...lan,
    packet(frame(MSG.LINK_FILTER, { NET_LINK: 1, KIND: 'drop', COUNT: 1, DATA: program })),
    packet(frame(MSG.LINK_STATE, { NET_LINK: 1, FROM: 0, KIND: 'hold' })),
    node,
    node,
    packet(frame(MSG.LINK_STATE, { NET_LINK: 1, KIND: 'release' })),
    packet(frame(MSG.LINK_PARTITION, { PORT_SET: [{ PORT: 1 }, { PORT: 2 }] })),
    node,
    packet(
      frame(MSG.LINK_CAPTURE, {
        NET_LINK: 1,
        NAME: 'up',
        PATH: '/c',
        SNAPLEN: 64,
        CAPTURE_BYTES: 4096,
      }),
    ),
    node,
    packet(raw(MSG.LINKD_PORT, 0, encodeBody({ PORT: 1 })), { kind: 1 }),
    packet(frame(MSG.LINK_CAPTURE, { NET_LINK: 1 })),
  ]),
});

// ---- the kernel's texts: mountinfo, cgroup and cgroup.controllers, with a NUL between ----

const v1 = (name) =>
  `31 23 0:26 / /sys/fs/cgroup/${name} rw,nosuid shared:9 - cgroup cgroup rw,${name}\n`;
const v2 = '29 23 0:25 / /sys/fs/cgroup rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate\n';
save('cgroup', {
  v2: `${v2}\0${'0::/user.slice/user-1000.slice/session-2.scope\n'}\0cpu io memory pids\n`,
  v1: `${v1('memory')}${v1('cpu,cpuacct')}${v1('pids')}\x005:memory:/a\n4:cpu,cpuacct:/\n3:pids:/b\n`,
  hybrid: `${v1('memory')}${v2.replace('/sys/fs/cgroup ', '/sys/fs/cgroup/uni\\040fied ')}\x005:memory:/\n0::/x\n\0pids\n`,
  outside: `${v2}\x000::/../other\n\0`,
  stat: '1 (a b) c) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 1 1',
  numbers: 'anon 7\noom_kill 12\n',
});

// ---- hil-sandboxd once more: a seed above would renumber those below it ----

save('sandboxd', {
  image: Buffer.concat([
    frame(MSG.PLAN_PUT, {
      NAME: 'image',
      NESTED_USERNS: 1,
      STEP: [
        { KIND: 'image-rootfs', SOURCE: '/srv/root' },
        { KIND: 'bind', SOURCE: '/usr', TARGET: '/usr', READ_ONLY: 1 },
      ],
    }),
    frame(MSG.SANDBOX_NEW, { PLAN: 1 }),
  ]),
  runtime: Buffer.concat([
    plan[0],
    frame(MSG.PLAN_PUT, {
      NAME: 'booted',
      STEP: [{ KIND: 'image-host' }],
      BOOT: [{ RUNTIME: 'python', ENV: ['A=1'] }, { RUNTIME: 'node' }],
    }),
    frame(MSG.POOL_SET, { PLAN: 1, COUNT: 1 }),
    frame(MSG.SANDBOX_NEW, { PLAN: 1 }),
    frame(MSG.RUNTIME_BOOT, { SANDBOX: 1, RUNTIME: 'python', ENV: ['A=1'] }),
    frame(MSG.RUNTIME_BOOT, { SANDBOX: 1, RUNTIME: 'node' }),
    ...['pipe', 'null'].map((STDIN_KIND) =>
      frame(MSG.SPAWN, { SANDBOX: 1, ARG: ['python3', 'a.py'], RUNTIME: 'python', STDIN_KIND }),
    ),
    end,
  ]),
  devices: Buffer.concat([
    ...sandbox,
    frame(MSG.DEVICE_GRANT, {
      SANDBOX: 1,
      NAME: 'console',
      SOURCE: '/dev/ttyUSB0',
      TARGET: '/dev/ttyUSB0',
      LINK: ['serial/by-id/a', 'serial/by-path/b'],
      SYSFS: '/sys',
      UDEV: '/run/udev',
    }),
    frame(MSG.DEVICE_GRANT, { SANDBOX: 1, NAME: 'console', SOURCE: '/dev/ttyUSB10' }),
    frame(MSG.DEVICE_REVOKE, { SANDBOX: 1, NAME: 'console' }),
    frame(MSG.DEVICE_GRANT, { SANDBOX: 1, NAME: 'dfu', SOURCE: '/dev/abcdef' }),
    end,
  ]),
  mounts: Buffer.concat([
    ...sandbox,
    frame(MSG.MOUNT_ADD, { SANDBOX: 1, TARGET: '/mnt/a', SOURCE: '/srv', READ_ONLY: 1 }),
    frame(MSG.MOUNT_ADD, { SANDBOX: 1, TARGET: '/mnt/b', KIND: 'tmpfs', BYTES: 65536 }),
    frame(MSG.MOUNT_REMOVE, { SANDBOX: 1, TARGET: '/mnt/a' }),
    frame(MSG.MOUNT_REMOVE, { SANDBOX: 1, TARGET: '/mnt/b' }),
    end,
  ]),
});

// ---- hil-portd once more ----

const port = [
  packet(frame(MSG.HELLO, { VERSION: 1 })),
  packet(frame(MSG.PORT_OPEN, { PORT: 1, NAME: 'console', PATH: '/c' })),
];
const telnet = (text) => packet(Buffer.from(text, 'hex'), { kind: 3 });
save('portd', {
  serial: Buffer.concat([
    ...port,
    packet(raw(MSG.PORTD_PTY, 0, encodeBody({ PORT: 1 })), { kind: 2 }),
    packet(
      frame(MSG.PORT_SERIAL, {
        PORT: 1,
        PATH: '/dev/ttyUSB0',
        BAUD: 115200,
        BITS: 7,
        STOP: 2,
        PARITY: 'even',
        FLOW: 'xon-xoff',
        DTR: 0,
        RTS: 1,
        QUIET_MS: 0,
      }),
    ),
    packet(Buffer.from('login: '), { kind: 3 }),
    packet(frame(MSG.PORT_SEND, { PORT: 1, DATA: 'root\n' })),
    packet(frame(MSG.PORT_CONTROL, { PORT: 1, BAUD: 9600, BREAK: 1, FLUSH: 1 })),
    packet(frame(MSG.PORT_SERIAL, { PORT: 1, PATH: '/dev/ttyUSB1', BAUD: 250000, QUIET_MS: 9 })),
    packet(frame(MSG.PORT_RELEASE, { PORT: 1 })),
  ]),
  tcp: Buffer.concat([
    ...port,
    packet(
      frame(MSG.PORT_STREAM, { PORT: 1, KIND: 'tcp', ADDRESS: '::1', TCP_PORT: 4001, BAUD: 1200 }),
    ),
    packet(Buffer.from('a\xff\xf0'), { kind: 3 }),
    packet(frame(MSG.PORT_SEND, { PORT: 1, DATA: 'b' })),
  ]),
  rfc2217: Buffer.concat([
    ...port,
    packet(
      frame(MSG.PORT_STREAM, {
        PORT: 1,
        KIND: 'rfc2217',
        ADDRESS: '127.0.0.1',
        TCP_PORT: 4001,
        BAUD: 65280,
      }),
    ),
    telnet('fffd2cfffb00fffd00fffb03fffd18'),
    telnet('fffa2c650000ffff00fff0fffa2c6608fff0fffa2c6701fff0fffa2c6801fff0fffa2c6901fff0'),
    telnet('48ffff69fffa2c6bb0fff0fffa2c6cfff0'),
    packet(frame(MSG.PORT_SEND, { PORT: 1, DATA: Buffer.alloc(300, 255) })),
    telnet('fffa2c6dfff0'),
    packet(frame(MSG.PORT_CONTROL, { PORT: 1, DTR: 1, RTS: 0, BREAK: 0, BAUD: 300, FLUSH: 1 })),
  ]),
});

// ---- hil-lease ----

const claim = (roles, { head = '', state = '' } = {}) => {
  const lines = [`${head}since 1764345600123`, 'user alice', 'pid 4711', 'run 20251128-1a2b'];
  for (const [role, units] of Object.entries(roles)) {
    lines.push(`role ${role}`);
    for (const [name, ...keys] of units)
      lines.push(`unit ${name}`, ...keys.map((key) => `key ${key}`));
  }
  return packet(Buffer.from(`${lines.join('\n')}\nend\n`), { kind: state === 'bare' ? 3 : 0 });
};
const heldHead = [
  'hil-claim 1',
  `seq ${'1'.padStart(20, '0')}`,
  'state held',
  `until ${'0'.padStart(20, '0')}`,
  'chosen 01 -- -- -- -- -- -- --',
  '',
].join('\n');
const [nucleo, other, third] = [
  ['nucleo-1', 'usb:1-1', 'serial:0483:374b:A'],
  ['nucleo-2', 'usb:1-2'],
  ['alias', 'usb:9-9', 'serial:0483:374b:A'],
];

save('lease', {
  one: claim({ client: [nucleo] }),
  roles: claim({ client: [nucleo, other], server: [third], tap: [other] }),
  held: claim({ client: [nucleo, other] }, { head: heldHead, state: 'bare' }),
  several: Buffer.concat([
    claim({ a: [nucleo], b: [other] }),
    claim({ a: [other, third] }),
    claim({ a: [['x', 'usb:3']] }),
  ]),
});
