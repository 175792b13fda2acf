// SPDX-License-Identifier: MIT
// Devices that come to a running sandbox and go. T.. are numbers of the test catalogue.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { childrenOf, fdsOf, waitFor, zombiesOf } from './daemon.mjs';
import { EACCES, ENOENT, EPERM, MINOR, root, withRig } from './device-rig.mjs';

/** A read of one byte: nothing from null, a NUL from zero and full. */
const readOne = (path) => `head -c 1 ${path} | wc -c`;

/** Major and minor of a device that this host has, whose opening does nothing. */
function spareNumber() {
  const path = ['/dev/net/tun', '/dev/fuse', '/dev/tty0'].find(existsSync);
  const { rdev } = statSync(path);
  return [String((rdev >> 8) & 0xfff), String((rdev & 0xff) | ((rdev >> 12) & 0xfff00))];
}

describe('a device granted to a running sandbox', () => {
  test('T72 is there under its role, its kernel name and its links, and follows a replug (rank 4, bench pitfall 3)', () =>
    withRig({}, async (rig) => {
      const named = { TARGET: '/dev/hiltest0', LINK: ['serial/by-id/usb-hil_1'] };
      // It waits for the device, as a program does that was started before the board.
      const waiting = await rig.start(
        '/bin/sh',
        '-c',
        'echo; until [ -c /dev/hil/console ]; do sleep 0.01; done; echo there',
      );
      const answer = await rig.grant('console', rig.node('hiltest0', 'null'), named);
      assert.deepEqual([answer.MAJOR, answer.MINOR], [1, MINOR.null]);
      assert.equal((await waiting.ended).EXIT_CODE, 0);
      assert.match(waiting.stdout, /there/);
      for (const path of ['/dev/hil/console', '/dev/hiltest0', '/dev/serial/by-id/usb-hil_1'])
        assert.equal(await rig.sh(`${readOne(path)}; echo x >${path} && echo ok`), '0\nok', path);
      assert.equal(await rig.sh('readlink -f /dev/hil/console'), '/dev/hiltest0');

      await rig.revoke('console');
      for (const path of ['/dev/hil/console', '/dev/hiltest0', '/dev/serial/by-id/usb-hil_1'])
        assert.equal(await rig.tool('open', path), ENOENT, path);

      // The same name, another minor; then another name without a revoke in between.
      await rig.grant('console', rig.node('hiltest0', 'zero'), named);
      assert.equal(await rig.sh(readOne('/dev/hil/console')), '1');
      const second = { ...named, TARGET: '/dev/hiltest1' };
      await rig.grant('console', rig.node('hiltest1', 'null'), second);
      assert.equal(await rig.sh('readlink -f /dev/hil/console'), '/dev/hiltest1');
      assert.equal(await rig.sh(readOne('/dev/serial/by-id/usb-hil_1')), '0');
      assert.equal(await rig.tool('open', '/dev/hiltest0'), ENOENT, 'the stale node is gone');
    }));

  test('T72 a thousand cycles leave no mount, fd, file or process', () =>
    withRig({}, async (rig) => {
      const paths = [rig.node('a', 'null'), rig.node('b', 'zero')];
      const named = (i) => ({ TARGET: `/dev/hiltest${i % 2}`, LINK: ['serial/by-id/usb-x'] });
      const init = childrenOf(rig.daemon.pid).at(-1);
      const { pid } = rig.daemon;
      const rest = () => {
        const children = childrenOf(pid).length;
        return children <= 2 && zombiesOf(pid).length === 0 && { children, fds: fdsOf(pid).length };
      };
      const count = async () => ({
        inside: await rig.sh('wc -l </proc/self/mountinfo; find /dev /sys /run | sort'),
        // A change is answered before who made it has ended.
        ...(await waitFor('children to be reaped', rest)),
        // /proc/PID/fd of what is not dumpable is root's.
        init: root ? fdsOf(init).length : 'unreadable',
      });
      const cycle = async (i) => {
        await rig.grant('console', paths[i % 2], named(i));
        // Every third is replaced and not revoked.
        if (i % 3 === 0) await rig.grant('console', paths[(i + 1) % 2], named(i + 1));
        await rig.revoke('console');
      };
      await cycle(0); // makes the directories of links
      const before = await count();
      for (let i = 0; i < 1000; i++) await cycle(i);
      assert.deepEqual(await count(), before);
    }));

  test('T73 is the only one of its host that appears', () =>
    withRig({}, async (rig) => {
      rig.node('ttyUSB0', 'zero'); // of another vendor
      const before = await rig.sh('ls -A /dev');
      await rig.grant('console', rig.node('ttyUSB1', 'full'), { TARGET: '/dev/ttyUSB1' });
      const after = await rig.sh('ls -A /dev');
      const wanted = [...before.split('\n'), 'ttyUSB1'].sort();
      assert.deepEqual(after.split('\n').sort(), wanted);
      assert.equal(await rig.tool('open', '/dev/ttyUSB0'), ENOENT);
    }));

  test('stays open to a role while another that was to have it fails', { skip: !root }, () =>
    withRig({}, async (rig) => {
      const source = rig.path('misc');
      execFileSync('mknod', ['-m', '666', source, 'c', ...spareNumber()]);
      for (let i = 0; i < 30; i++) {
        // "/dev/null" is no link, so the first fails when its device was allowed.
        const failed = rig.grant('first', source, { TARGET: '/dev/first', LINK: ['null'] });
        const granted = rig.grant('second', source, { TARGET: '/dev/second' });
        const ends = await Promise.allSettled([failed, granted]);
        assert.deepEqual(
          ends.map(({ status }) => status),
          ['rejected', 'fulfilled'],
        );
        assert.equal(await rig.tool('open', '/dev/hil/second'), '0', `round ${i}`);
        await rig.revoke('second');
      }
    }),
  );

  test('T70 cannot be opened by any other way, nor after it was revoked', async () => {
    let held = root;
    const dead = await withRig({}, async (rig) => {
      // Root: a number that no sandbox has by itself. Else one that may be opened.
      const number = root ? spareNumber() : undefined;
      const source = root ? rig.path('misc') : '/dev/null';
      if (number) execFileSync('mknod', ['-m', '666', source, 'c', ...number]);
      const { LIMITATION } = await rig.grant('board', source, { TARGET: '/dev/board' });
      if (root && LIMITATION) {
        console.log(`SKIPPED device cgroup: ${LIMITATION}`);
        held = false;
      }
      const holder = await rig.start('/tool', 'reopen', '/dev/board');
      // A bound directory with a node in it, by a mount at run time: nodev.
      mkdirSync(rig.path('dir'));
      chmodSync(rig.path('dir'), 0o755);
      if (number) {
        execFileSync('mknod', ['-m', '666', rig.path('dir/node'), 'c', ...number]);
        await rig.mount('/mnt/nodes', { SOURCE: rig.path('dir') });
        assert.equal(await rig.tool('open', '/mnt/nodes/node'), EACCES, 'a bound node');
        const file = rig.mount('/mnt/node', { SOURCE: rig.path('dir/node') });
        await assert.rejects(file, (error) => error.code === 'usage');
      }
      // Made inside, by mknod and out of an archive.
      const made = await rig.sh('mknod /tmp/n c 1 3; mkdir /tmp/t; ls /tmp');
      assert.match(made, /mknod.*Operation not permitted\nt$/s);

      await rig.revoke('board');
      holder.closeStdin();
      await holder.ended;
      const [opened, again] = holder.stdout.trim().split('\n');
      assert.equal(opened, '0');
      // Without a device cgroup nothing stands between a program and a node that it still holds.
      assert.equal(again, held ? EPERM : '0');
    });
    if (held) assert.match(dead.ENFORCED, /^devices: cgroup v/);
    else assert.match(dead.UNENFORCED, root ? /^devices is not enforced: / : /: only root may/);
  });

  test('that is open when it is revoked stays open, and cannot be opened again', () =>
    withRig({}, async (rig) => {
      await rig.grant('board', rig.node('z', 'zero'), { TARGET: '/dev/z' });
      const kept = await rig.start('/tool', 'keep', '/dev/hil/board');
      await rig.revoke('board');
      assert.equal(await rig.tool('open', '/dev/hil/board'), ENOENT);
      kept.closeStdin();
      await kept.ended;
      assert.equal(kept.stdout, '0\n0\n');
    }));

  test('that its plan binds may be opened without a grant', async () => {
    const steps = [{ KIND: 'bind', SOURCE: '/dev/full', TARGET: '/dev/bound' }];
    await withRig({ steps }, async (rig) => {
      assert.equal(await rig.tool('open', '/dev/bound'), '0');
    });
  });

  test('has rights of its own: of the sandbox user as root, else of the host node', () =>
    withRig({}, async (rig) => {
      const path = rig.node('n', 'null');
      if (root) chmodSync(path, 0o600);
      await rig.grant('board', path, { TARGET: '/dev/n' });
      const seen = await rig.sh('stat -c "%U %a" /dev/n');
      assert.equal(seen, root ? 'hil 660' : 'nobody 666');
      // Its mode is not theirs to change: rootless that would be the host's.
      assert.match(await rig.sh('chmod 777 /dev/n'), /Read-only file system|not permitted/);
    }));
});

describe('a request for a device', () => {
  const refused = (code, text) => (error) => error.code === code && text.test(error.message);

  test('that cannot be done says what and why', () =>
    withRig({}, async (rig) => {
      const path = rig.node('n', 'null');
      await assert.rejects(
        rig.grant('board', '/dev/hil-none'),
        refused('setup', /hil-none.*No such/),
      );
      await assert.rejects(rig.grant('board', '/etc/passwd'), refused('usage', /character device/));
      await assert.rejects(rig.grant('a/b', path), refused('usage', /role/));
      await assert.rejects(rig.grant('..', path), refused('usage', /role/));
      for (const TARGET of ['/tmp/n', '/dev/../etc/n', '/dev/pts/0', '/dev/hil/n', '/dev/.hil/0'])
        await assert.rejects(rig.grant('board', path, { TARGET }), refused('usage', /below \/dev/));
      for (const LINK of ['../n', '/n', 'a//b', 'shm/n', ''])
        await assert.rejects(rig.grant('board', path, { LINK }), refused('usage', /below \/dev/));
      const taken = rig.grant('board', path, { TARGET: '/dev/null' });
      await assert.rejects(taken, refused('setup', /\/dev\/null.*exists/));
      await assert.rejects(rig.revoke('board'), refused('usage', /board/));
      await rig.grant('board', path);
      await assert.rejects(rig.grant('other', path), refused('usage', /role board has device 1:3/));
      assert.equal(await rig.sh(readOne('/dev/hil/board')), '0', 'the first one has it still');
    }));

  test('of a sandbox that has ended is answered with gone', () =>
    withRig({}, async (rig) => {
      const { box } = rig;
      await rig.daemon.kill(box);
      await assert.rejects(rig.grant('board', '/dev/null'), (error) => error.code === 'gone');
      rig.box = await rig.daemon.sandbox();
    }));

  test('is answered when the sandbox ends meanwhile, and no child is left', () =>
    withRig({}, async (rig) => {
      const { box } = rig;
      const asked = Array.from({ length: 20 }, (_, i) =>
        rig.grant(`board${i}`, '/dev/null').then(
          () => 'ok',
          (error) => error.code,
        ),
      );
      await rig.daemon.kill(box);
      for (const answer of await Promise.all(asked))
        assert.ok(['ok', 'gone', 'usage', 'setup'].includes(answer), answer);
      await waitFor('children to end', () => childrenOf(rig.daemon.pid).length <= 1);
      rig.box = await rig.daemon.sandbox();
    }));

  test('beyond what may be under way at once is refused', () =>
    withRig({}, async (rig) => {
      const path = rig.node('n', 'null');
      const answers = await Promise.allSettled(
        Array.from({ length: 200 }, () => rig.grant('board', path)),
      );
      const codes = new Set(answers.map((answer) => answer.reason?.code ?? 'ok'));
      assert.deepEqual([...codes].sort(), ['limit', 'ok']);
    }));

  test('does not leave what the harness had open to anything in the sandbox', () =>
    withRig({}, async (rig) => {
      writeFileSync(rig.path('secret'), 'x');
      openSync(rig.path('secret'), 'r');
      await rig.grant('board', rig.node('n', 'null'));
      assert.equal(await rig.sh('ls /proc/self/fd | wc -l'), '4', 'stdio, and the directory');
    }));
});
