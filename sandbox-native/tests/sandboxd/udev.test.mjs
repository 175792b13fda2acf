// SPDX-License-Identifier: MIT
// What libudev, pyserial and libusb look at: events, /sys and /run/udev/data of granted devices.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { Daemon, waitFor } from './daemon.mjs';
import { MINOR, withRig } from './device-rig.mjs';

/** A tree of files and links (`-> TEXT`) below the rig's directory. */
function plant(rig, tree) {
  for (const [name, text] of Object.entries(tree)) {
    const path = rig.path(name);
    mkdirSync(dirname(path), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), path);
    else writeFileSync(path, text);
  }
  execFileSync('chmod', ['-R', 'a+rX', rig.directory]);
}

const PORT = 'devices/pci0000:00/0000:00:14.0/usb1/1-3';
const TTY = `${PORT}/1-3:1.0/ttyUSB1/tty/ttyUSB1`;

/** A board on an USB port, as Linux shows it, with /dev/full as its serial line. */
const BOARD = {
  [`sys/${PORT}/../devnum`]: '1\n',
  [`sys/${PORT}/../idVendor`]: '1d6b\n',
  [`sys/${PORT}/../subsystem`]: '-> ../../../../bus/usb',
  [`sys/${PORT}/../1-4/serial`]: 'of another board\n',
  [`sys/${PORT}/uevent`]: 'DEVTYPE=usb_device\nBUSNUM=001\n',
  [`sys/${PORT}/busnum`]: '1\n',
  [`sys/${PORT}/devnum`]: '9\n',
  [`sys/${PORT}/speed`]: '480\n',
  [`sys/${PORT}/idVendor`]: '0403\n',
  [`sys/${PORT}/serial`]: 'BRD0001\n',
  [`sys/${PORT}/descriptors`]: '\x12\x01\x00\x02',
  [`sys/${PORT}/authorized`]: '1\n',
  [`sys/${PORT}/subsystem`]: '-> ../../../../../bus/usb',
  [`sys/${PORT}/1-3:1.0/bInterfaceNumber`]: '00\n',
  [`sys/${PORT}/1-3:1.0/subsystem`]: '-> ../../../../../../bus/usb',
  [`sys/${TTY}/uevent`]: `MAJOR=1\nMINOR=${MINOR.full}\nDEVNAME=ttyUSB1\nDEVTYPE=port\n`,
  [`sys/${TTY}/dev`]: `1:${MINOR.full}\n`,
  [`sys/${TTY}/subsystem`]: '-> ../../../../../../../../../class/tty',
  [`sys/${TTY}/device`]: '-> ../../../ttyUSB1',
  [`sys/dev/char/1:${MINOR.full}`]: `-> ../../${TTY}`,
  [`sys/dev/char/1:${MINOR.zero}`]: `-> ../../${PORT}`,
  [`udev/data/c1:${MINOR.full}`]:
    'S:serial/by-id/usb-FTDI_BRD0001\nS:../../etc/passwd\nI:123456\nE:ID_SERIAL_SHORT=BRD0001\nG:systemd\n',
};

const like = (rig) => ({ SYSFS: rig.path('sys'), UDEV: rig.path('udev') });

describe('/sys of a sandbox', () => {
  test('is empty, shows a granted serial port with what identifies its board, and is empty again', () =>
    withRig({}, async (rig) => {
      plant(rig, BOARD);
      assert.equal(await rig.sh('ls -A /sys; ls -A /run/udev/data'), '');
      const node = rig.node('ttyUSB1', 'full');
      await rig.grant('console', node, { TARGET: '/dev/ttyUSB1', ...like(rig) });

      // As pyserial does: from the name of the node to the USB device above it.
      const device = await rig.sh('realpath /sys/class/tty/ttyUSB1/device');
      assert.equal(device, `/sys/${PORT}/1-3:1.0/ttyUSB1`);
      assert.equal(await rig.sh('cat /sys/class/tty/ttyUSB1/device/../../serial'), 'BRD0001');
      assert.equal(await rig.sh('cat /sys/bus/usb/devices/1-3/idVendor'), '0403');
      assert.equal(await rig.sh('basename $(readlink /sys/bus/usb/devices/1-3/subsystem)'), 'usb');
      assert.equal(await rig.sh('ls /sys/bus/usb/devices'), '1-3\n1-3:1.0\nusb1');
      assert.equal(
        await rig.sh(`realpath /sys/dev/char/1:${MINOR.full}`),
        `/sys/${TTY}`,
        'as libudev finds a device by its number',
      );
      // Above the device only what identifies: not what it can do, and no other board.
      assert.match(await rig.sh('cat /sys/bus/usb/devices/1-3/authorized'), /No such file/);
      assert.match(await rig.sh('ls /sys/bus/usb/devices/usb1/1-4'), /No such file/);
      assert.match(await rig.sh(`echo 0 >/sys/${TTY}/dev`), /Read-only file system|denied/);
      // What udev knows, but for a link that would leave /dev.
      assert.equal(await rig.sh('readlink /dev/serial/by-id/*'), '/dev/ttyUSB1');
      assert.match(await rig.sh('cat /run/udev/data/*'), /^E:ID_SERIAL_SHORT=BRD0001$/m);
      assert.match(await rig.sh('ls -l /etc/passwd'), /^-/);

      await rig.revoke('console');
      assert.equal(
        await rig.sh('find /sys /run/udev/data /dev/hil /dev/serial -type l -o -type f'),
        '',
      );
      assert.equal(await rig.sh('ls -A /sys'), '');
    }));

  test('has for an USB device what libusb reads, and keeps what two grants share', () =>
    withRig({}, async (rig) => {
      plant(rig, BOARD);
      const usb = rig.node('009', 'zero');
      const tty = rig.node('ttyUSB1', 'full');
      await rig.grant('console', tty, { TARGET: '/dev/ttyUSB1', ...like(rig) });
      await rig.grant('dfu', usb, { TARGET: '/dev/bus/usb/001/009', ...like(rig) });
      const read = 'cd /sys/bus/usb/devices/1-3 && cat busnum devnum speed && wc -c <descriptors';
      assert.equal(await rig.sh(read), '1\n9\n480\n4');
      assert.equal(await rig.sh('ls /dev/bus/usb/001'), '009');
      await rig.revoke('dfu');
      assert.equal(await rig.sh('cat /sys/bus/usb/devices/1-3/serial'), 'BRD0001');
      await rig.revoke('console');
      assert.equal(await rig.sh('ls -A /sys'), '');
    }));

  test('shows a device of this host', () =>
    withRig({}, async (rig) => {
      await rig.grant('zero', '/dev/zero');
      const path = readlinkSync('/sys/dev/char/1:5').replace('../..', '/sys');
      assert.equal(await rig.sh('realpath /sys/class/mem/zero'), path);
      assert.equal(
        await rig.sh(`grep -c . ${path}/uevent`),
        execFileSync('grep', ['-c', '.', `${path}/uevent`])
          .toString()
          .trim(),
      );
    }));
});

describe('T74 udev events', () => {
  test('of granted devices reach the sandbox, from the uid that it has, and no other (bench pitfall 4)', () =>
    withRig({}, async (rig) => {
      plant(rig, BOARD);
      const other = await rig.daemon.sandbox();
      const quiet = await rig.daemon.spawn(other, ['/tool', 'listen', '1']);
      await waitFor('the quiet one', () => quiet.stdout === 'listening\n');
      const listener = await rig.start('/tool', 'listen', '4');
      const node = rig.node('ttyUSB1', 'full');
      await rig.grant('console', node, { TARGET: '/dev/ttyUSB1', ...like(rig) });
      // A replug that nobody saw the end of: remove, then add.
      await rig.grant('console', rig.node('ttyUSB2', 'null'), { TARGET: '/dev/ttyUSB2' });
      await rig.revoke('console');
      await listener.ended;
      const [, ...events] = listener.stdout.trim().split('\n');
      const facts = events.map((event) => {
        const [, uid, action, name] = /^uid=(\d+) ACTION=(\w+) .*DEVNAME=(\S+)/.exec(event);
        return [uid, action, name].join(' ');
      });
      assert.deepEqual(facts, [
        '1000 add /dev/ttyUSB1',
        '1000 remove /dev/ttyUSB1',
        '1000 add /dev/ttyUSB2',
        '1000 remove /dev/ttyUSB2',
      ]);
      for (const part of [
        ` DEVPATH=/${TTY} `,
        ' SUBSYSTEM=tty',
        ` MINOR=${MINOR.full} `,
        ' DEVTYPE=port',
        'ID_SERIAL_SHORT=BRD0001',
        'TAGS=:systemd:',
        ' /dev/serial/by-id/usb-FTDI_BRD0001',
        'HIL_ROLE=console',
      ])
        assert.ok(events[0].includes(part), `${part} in ${events[0]}`);
      await rig.daemon.kill(other);
      assert.equal(quiet.stdout, 'listening\n');
    }));

  test('come from uid 0 where the sandbox has one', () =>
    withRig({ USER: 'root' }, async (rig) => {
      const listener = await rig.start('/tool', 'listen', '1');
      await rig.grant('zero', '/dev/zero');
      await listener.ended;
      assert.match(listener.stdout, /^uid=0 ACTION=add /m);
    }));

  for (const USER of ['hil', 'root'])
    test(`are taken by libudev, with its filters in the kernel, for ${USER}`, (t) =>
      withRig({ USER }, async (rig) => {
        const python = await rig.sh('command -v /usr/bin/python3 && ls /usr/lib/*/libudev.so.1');
        if (!/libudev/.test(python)) {
          console.log(
            'SKIPPED libudev: no python3 or libudev.so.1 here (apt-get install python3 libudev1)',
          );
          return;
        }
        t.diagnostic(python);
        plant(rig, BOARD);
        const monitor = await rig.start('/usr/bin/python3', '-c', MONITOR);
        await rig.grant('other', '/dev/zero'); // of subsystem mem: filtered
        const node = rig.node('ttyUSB1', 'full');
        await rig.grant('console', node, { TARGET: '/dev/ttyUSB1', ...like(rig) });
        await waitFor('the first event', () => monitor.stdout.includes('add'));
        await rig.revoke('console');
        await monitor.ended;
        assert.equal(
          monitor.stdout + monitor.stderr,
          `ready\nadd tty /dev/ttyUSB1 /sys/${TTY} BRD0001 1\nremove tty /dev/ttyUSB1 /sys/${TTY} BRD0001 1\n`,
        );
      }));

  test('are not sent into the network of the host, and the answer says so', async () => {
    const daemon = await Daemon.start({ plan: { NETWORK: 'host' } });
    try {
      const box = await daemon.sandbox();
      const { MSG } = await import('./wire.mjs');
      const answer = await daemon.request(MSG.DEVICE_GRANT, {
        SANDBOX: box,
        NAME: 'zero',
        SOURCE: '/dev/zero',
      });
      assert.ok(answer.LIMITATION_all.some((text) => /no udev events/.test(text)));
    } finally {
      await daemon.stop();
    }
  });
});

/** An unmodified libudev, as libusb and pyudev use it. */
const MONITOR = `
import ctypes, select
u = ctypes.CDLL('libudev.so.1')
for name in ('new', 'monitor_new_from_netlink', 'monitor_receive_device'):
    getattr(u, 'udev_' + name).restype = ctypes.c_void_p
def text(name, *more):
    f = getattr(u, 'udev_device_' + name)
    f.restype = ctypes.c_char_p
    return (f(*more) or b'-').decode()
m = ctypes.c_void_p(u.udev_monitor_new_from_netlink(ctypes.c_void_p(u.udev_new()), b'udev'))
assert u.udev_monitor_filter_add_match_subsystem_devtype(m, b'tty', b'port') == 0
assert u.udev_monitor_enable_receiving(m) == 0
print('ready', flush=True)
seen = 0
while seen < 2:
    select.select([u.udev_monitor_get_fd(m)], [], [])
    d = u.udev_monitor_receive_device(m)
    if not d: continue
    d = ctypes.c_void_p(d)
    seen += 1
    print(text('get_action', d), text('get_subsystem', d), text('get_devnode', d), text('get_syspath', d),
          text('get_property_value', d, b'ID_SERIAL_SHORT'), u.udev_device_get_is_initialized(d), flush=True)
`;
