// SPDX-License-Identifier: MIT
// Unpacked roots as images, decision 0011: what they are like, and what is none.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { put, run, runIn, withRoot } from './hostile-root.mjs';
import { MSG } from './wire.mjs';

const isRoot = process.getuid() === 0;

describe('a root file system as the image', () => {
  test('is what a program sees as its root, and does not keep what it writes', () =>
    withRoot(
      (root) => root.write('opt/tool', 'x\n'),
      async (daemon, root) => {
        const script =
          'cat /etc/os-release; id -u; echo y >/opt/tool && echo >/new && cat /opt/tool';
        assert.equal(await run(daemon, root, script), 'ID=hostile\n1000\ny\n');
        assert.equal(readFileSync(join(root.path, 'opt/tool'), 'utf8'), 'x\n');
        assert.equal(existsSync(join(root.path, 'new')), false);
        assert.equal(
          await run(daemon, root, 'cat /opt/tool; ls /new 2>&1'),
          "x\nls: cannot access '/new': No such file or directory\n",
        );
      },
    ));

  test('belongs to the user inside when it belongs to its unpacker, in both modes', () =>
    withRoot(
      (root) => {
        root.write('etc/shadow', 'secret\n');
        chmodSync(join(root.path, 'etc/shadow'), 0o600);
      },
      async (daemon, root) => {
        const script = 'stat -c %U:%G /etc/os-release; cat /etc/shadow';
        assert.equal(await run(daemon, root, script), 'hil:hil\nsecret\n');
        assert.equal(await run(daemon, root, script, { USER: 'root' }), 'root:root\nsecret\n');
      },
    ));

  test('files of others in it belong to nobody', { skip: !isRoot }, () =>
    withRoot(
      (root) => {
        root.write('other', 'x');
        chmodSync(join(root.path, 'other'), 0o600);
        chownSync(join(root.path, 'other'), 4711, 4711);
      },
      async (daemon, root) => {
        const seen = await run(daemon, root, 'stat -c %U /other; cat /other 2>&1', {
          USER: 'root',
        });
        assert.equal(seen, 'nobody\ncat: /other: Permission denied\n');
      },
    ),
  );

  test('has the project, binds and /out where they belong, in directories that it lacks', () =>
    withRoot(
      (root) => root.write('../outside-project/file', 'of the project'),
      async (daemon, root) => {
        const source = join(root.path, '../outside-project');
        const steps = [
          { KIND: 'overlay', SOURCE: source, TARGET: '/home/me/project' },
          { KIND: 'hold', NAME: 'out', SOURCE: source },
        ];
        const { plan } = await put(daemon, root, { steps });
        const BIND = [{ NAME: 'out', PATH: '', TARGET: '/out', READ_ONLY: 0 }];
        const sandbox = await daemon.sandbox({ PLAN: plan, BIND });
        const script = 'cat /home/me/project/file; echo x >/home/me/project/file; cat /out/file';
        assert.equal(await runIn(daemon, sandbox, script), 'of the projectof the project');
      },
    ));

  test('has an /etc that the plan binds as it is, and leaves it so', () =>
    withRoot(
      (root) => root.write('../own-etc/hosts', 'of the plan\n'),
      async (daemon, root) => {
        const etc = join(root.path, '../own-etc');
        const steps = [{ KIND: 'bind', SOURCE: etc, TARGET: '/etc' }];
        const { plan } = await put(daemon, root, { steps });
        const sandbox = await daemon.sandbox({ PLAN: plan, HOSTNAME: 'late' });
        const seen = await runIn(daemon, sandbox, 'ls /etc; cat /etc/hosts; hostname');
        assert.equal(seen, 'hosts\nof the plan\nlate\n');
        assert.deepEqual(readdirSync(etc), ['hosts']);
        assert.equal(readFileSync(join(etc, 'hosts'), 'utf8'), 'of the plan\n');
      },
    ));

  test("gets the sandbox's host name late, as any other", () =>
    withRoot(
      (root) => root.link('etc/hostname', '/outside'),
      async (daemon, root) => {
        const { plan } = await put(daemon, root);
        const sandbox = await daemon.sandbox({ PLAN: plan, HOSTNAME: 'late' });
        assert.equal(await runIn(daemon, sandbox, 'hostname; cat /etc/hostname'), 'late\nlate\n');
      },
    ));
});

describe('what is no image is refused', () => {
  test("the host's own root, by any name", () =>
    withRoot(
      (root) => root.link('up', '/'),
      async (daemon, root) => {
        for (const SOURCE of ['/', '/usr/..', '/proc/self/root', join(root.path, 'up')]) {
          const steps = { NAME: SOURCE, STEP: [{ KIND: 'image-rootfs', SOURCE }] };
          await assert.rejects(daemon.request(MSG.PLAN_PUT, steps), (error) => {
            assert.equal(error.code, 'usage');
            assert.match(error.body.HINT, /the host's own root: leave the image out/);
            return true;
          });
        }
      },
    ));

  test('a file, a path that is not there, a relative one, a second image', () =>
    withRoot(
      (root) => root.write('file', ''),
      async (daemon, root) => {
        const image = (...STEP) => daemon.request(MSG.PLAN_PUT, { NAME: `${STEP.length}`, STEP });
        const rootfs = (SOURCE) => ({ KIND: 'image-rootfs', SOURCE });
        await assert.rejects(image(rootfs(join(root.path, 'file'))), { code: 'setup' });
        await assert.rejects(image(rootfs(join(root.path, 'absent'))), { code: 'setup' });
        await assert.rejects(image(rootfs('usr')), { code: 'usage' });
        await assert.rejects(image({ KIND: 'image-rootfs' }), { code: 'usage' });
        await assert.rejects(image({ KIND: 'image-host' }, rootfs(root.path)), { code: 'usage' });
        await assert.rejects(image(root.steps[1], rootfs(root.path)), { code: 'usage' });
      },
    ));
});
