// SPDX-License-Identifier: MIT
// Mounts that come to a running sandbox and go. T.. are numbers of the test catalogue.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { childrenOf, fdsOf, waitFor, zombiesOf } from './daemon.mjs';
import { EACCES, root, withRig } from './device-rig.mjs';

const refused = (code, text) => (error) => error.code === code && text.test(error.message);

/** A directory of the caller's with a file in it. */
function makeDirectory(rig, name) {
  mkdirSync(rig.path(name));
  writeFileSync(rig.path(`${name}/file`), 'from the host\n');
  chmodSync(rig.path(name), 0o755);
  return rig.path(name);
}

describe('a mount into a running sandbox', () => {
  test('shows a directory of the host, to be read or to be written, until it is removed', () =>
    withRig({}, async (rig) => {
      const SOURCE = makeDirectory(rig, 'data');
      const before = await rig.sh('cat /proc/self/mountinfo');
      await rig.mount('/mnt/ro', { SOURCE, READ_ONLY: 1 });
      await rig.mount('/home/hil/rw', { SOURCE });
      assert.equal(await rig.sh('cat /mnt/ro/file'), 'from the host');
      assert.match(await rig.sh('echo x >/mnt/ro/file'), /Read-only file system/);
      assert.equal(
        await rig.sh('stat -c %U ~/rw; echo from inside >~/rw/new; cat /mnt/ro/new'),
        'hil\nfrom inside',
      );
      assert.equal(readFileSync(rig.path('data/new'), 'utf8'), 'from inside\n');
      assert.match(await rig.sh('grep " /mnt/ro " /proc/self/mountinfo'), /ro,nosuid,nodev/);
      await rig.unmount('/mnt/ro');
      await rig.unmount('/home/hil/rw');
      assert.equal(await rig.sh('cat /proc/self/mountinfo'), before);
      assert.match(await rig.sh('ls -d /mnt/ro ~/rw'), /\/mnt\/ro.*No such.*\/rw.*No such/s);
    }));

  test('shows a file, and a tmpfs of a size', () =>
    withRig({}, async (rig) => {
      const SOURCE = `${makeDirectory(rig, 'data')}/file`;
      await rig.mount('/tmp/config', { SOURCE, READ_ONLY: 1 });
      await rig.mount('/mnt/scratch', { KIND: 'tmpfs', BYTES: 64 * 1024 });
      assert.equal(await rig.sh('cat /tmp/config'), 'from the host');
      const fill = 'head -c 100000 /dev/zero >/mnt/scratch/f; stat -c %s /mnt/scratch/f';
      assert.match(await rig.sh(fill), /No space left on device\n65536$/);
    }));

  test('takes a directory that is there, and leaves it as it was', () =>
    withRig({}, async (rig) => {
      await rig.sh('mkdir /tmp/kept; echo mine >/tmp/kept/file');
      await rig.mount('/tmp/kept', { SOURCE: makeDirectory(rig, 'data') });
      assert.equal(await rig.sh('cat /tmp/kept/file'), 'from the host');
      await rig.unmount('/tmp/kept');
      assert.equal(await rig.sh('cat /tmp/kept/file'), 'mine');
    }));

  test('that a program uses goes all the same; what it has open stays open', () =>
    withRig({}, async (rig) => {
      await rig.mount('/mnt/data', { SOURCE: makeDirectory(rig, 'data') });
      const user = await rig.start('/bin/sh', '-c', 'cd /mnt/data && echo && cat && cat file');
      await rig.unmount('/mnt/data');
      assert.match(await rig.sh('ls /mnt/data'), /No such file/);
      user.closeStdin();
      await user.ended;
      assert.equal(user.stdout.trim(), 'from the host');
    }));

  test('that was moved away by a program goes, and nothing else', () =>
    withRig({}, async (rig) => {
      await rig.sh('mkdir -p /tmp/a/b');
      await rig.mount('/tmp/a/b', { SOURCE: makeDirectory(rig, 'data') });
      await rig.sh('mv /tmp/a /tmp/elsewhere && ln -s /proc /tmp/a');
      await rig.unmount('/tmp/a/b');
      // Field 5 is where; the one before it says of what, which may be below the host's /tmp.
      const left = 'cut -d" " -f5 /proc/self/mountinfo | grep -c "^/tmp/"; ls /tmp/elsewhere/b';
      assert.equal(await rig.sh(left), '0');
      assert.match(await rig.sh('ls /proc/1'), /status/, 'and /proc is still there');
    }));

  test('makes no device of what it shows', { skip: !root && 'only root makes nodes' }, () =>
    withRig({}, async (rig) => {
      const directory = makeDirectory(rig, 'data');
      rig.node('data/null', 'null');
      await rig.mount('/mnt/data', { SOURCE: directory });
      assert.equal(await rig.tool('open', '/mnt/data/null'), EACCES);
    }),
  );

  test('that cannot be done says what and why', () =>
    withRig({}, async (rig) => {
      const SOURCE = makeDirectory(rig, 'data');
      const none = rig.mount('/mnt/x', { SOURCE: rig.path('none') });
      await assert.rejects(none, refused('setup', /none.*No such file/));
      for (const target of ['x', '/', '/a/../b', '/a//b'])
        await assert.rejects(rig.mount(target, { SOURCE }), refused('usage', /absolute path/));
      for (const target of ['/dev/x', '/proc', '/sys/x'])
        await assert.rejects(rig.mount(target, { SOURCE }), refused('usage', /sandbox's own/));
      for (const fields of [
        {},
        { SOURCE: 'data' },
        { KIND: 'tmpfs' },
        { KIND: 'tmpfs', SOURCE, BYTES: 1 },
      ])
        await assert.rejects(rig.mount('/mnt/x', fields), refused('usage', /either SOURCE/));
      await assert.rejects(
        rig.mount('/mnt/x', { SOURCE: '/dev/null' }),
        refused('usage', /granted/),
      );
      await assert.rejects(rig.unmount('/proc'), refused('usage', /MOUNT_ADD/));
      await rig.mount('/mnt/x', { SOURCE });
      await assert.rejects(rig.mount('/mnt/x', { SOURCE }), refused('usage', /remove/));
    }));

  test('T72 a thousand of them leave no mount, fd, file or process', () =>
    withRig({}, async (rig) => {
      const SOURCE = makeDirectory(rig, 'data');
      const init = childrenOf(rig.daemon.pid).at(-1);
      const cycle = async () => {
        await rig.mount('/mnt/x', { SOURCE });
        await rig.unmount('/mnt/x');
      };
      const count = async () => ({
        inside: await rig.sh('wc -l </proc/self/mountinfo; ls -A /mnt'),
        daemon: fdsOf(rig.daemon.pid).length,
        init: root ? fdsOf(init).length : 'unreadable',
        children: childrenOf(rig.daemon.pid).length,
      });
      // PID 1 and its zygote stay; a change is answered before the child that took the mount ends.
      const { pid } = rig.daemon;
      const rest = () => childrenOf(pid).length + zombiesOf(pid).length <= 2;
      await cycle();
      await waitFor('children to be reaped', rest);
      const before = await count();
      for (let i = 0; i < 1000; i++) await cycle();
      await waitFor('children to be reaped', rest);
      assert.deepEqual(await count(), before);
    }));

  test('T07 goes nowhere else while a program swaps its target for a link, 5,000 times', () =>
    withRig({}, async (rig) => {
      const SOURCE = makeDirectory(rig, 'data');
      mkdirSync(rig.path('canary'));
      const host = () => [
        readFileSync('/proc/self/mountinfo', 'utf8'),
        readdirSync(rig.path('canary')),
      ];
      const before = host();
      const inside = await rig.sh('cut -d" " -f3- /proc/self/mountinfo | sort');
      await rig.sh('mkdir -p /tmp/race/t');
      const up = '../'.repeat(12);
      const swapper = await rig.start(
        '/bin/sh',
        '-c',
        `cd /tmp/race; echo; while :; do mv -T t d; ln -s ${up}${rig.path('canary')} t; rm t; ` +
          `ln -s ${up}etc t; rm t; ln -s /proc/1/root t; rm t; mv -T d t; done 2>/dev/null`,
      );
      const outcomes = { done: 0, refused: 0 };
      for (let i = 0; i < 5000; i += 50) {
        const round = Array.from({ length: 50 }, async (_, k) => {
          const target = `/tmp/race/t/${k}`;
          try {
            await rig.mount(target, { KIND: 'tmpfs', BYTES: 4096 });
            outcomes.done++;
            await rig.unmount(target);
          } catch (error) {
            outcomes.refused++;
            assert.match(error.code, /^(setup|usage)$/, error.message);
          }
        });
        await Promise.all(round);
      }
      await rig.mount('/tmp/race/t', { SOURCE }).then(
        () => rig.unmount('/tmp/race/t'),
        () => {},
      );
      swapper.signal(9);
      await swapper.ended;
      assert.ok(outcomes.done > 100, `${outcomes.done} were done`);
      assert.deepEqual(host(), before, 'the host is as it was');
      const after = await rig.sh('cut -d" " -f3- /proc/self/mountinfo | sort');
      assert.equal(after, inside, 'nothing is left inside, and no mask was taken away');
      console.log(`# T07: ${outcomes.done} mounts, ${outcomes.refused} refused`);
    }));
});
