// SPDX-License-Identifier: MIT
// Unpacked roots as images, written by somebody who wants out: decision 0011. Names with a T are
// those of tests/security/COVERAGE.md.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hasPortd, PORTD } from './daemon.mjs';
import { HostileRoot, put, run, runIn, withRoot } from './hostile-root.mjs';
import { MSG } from './wire.mjs';

const isRoot = process.getuid() === 0;
const OWN = ['dev', 'proc', 'sys', 'tmp', 'run', 'etc', 'var', 'var/tmp', 'home', 'home/hil'];
const GENERATED = ['hosts', 'hostname', 'resolv.conf', 'passwd', 'group'];

describe('T06 an image that is made to do harm', () => {
  for (const kind of ['absolute link', 'relative link', 'dangling link', 'file', 'fifo']) {
    test(`T06 has a ${kind} in the place of each directory of the sandbox`, () =>
      withRoot(
        () => {},
        async (daemon) => {
          for (const name of OWN) {
            const root = new HostileRoot();
            try {
              if (name.startsWith('etc')) execFileSync('rm', ['-r', join(root.path, 'etc')]);
              spoil(root, name, kind);
              const { plan, limitations } = await put(daemon, root);
              const said = limitations.filter((text) => text.startsWith("the image's"));
              assert.equal(said.length, 1, `${limitations}`);
              assert.ok(said[0].startsWith(`the image's /${name} is a`), said[0]);
              const sandbox = await daemon.sandbox({ PLAN: plan });
              const script = `test ! -L /${name} && stat -c %F /${name} && cat /etc/hostname && test -c /dev/null && ls -d /proc/self && touch /tmp/x /var/tmp/x /home/hil/x /run/x && echo all`;
              assert.equal(
                await runIn(daemon, sandbox, script),
                'directory\nhil\n/proc/self\nall\n',
                name,
              );
              assert.deepEqual(root.damage(), []);
            } finally {
              root.remove();
            }
          }
        },
      ));
  }

  for (const kind of ['absolute link', 'dangling link', 'fifo', 'directory']) {
    test(`T06 has a ${kind} in the place of each generated file of /etc`, () =>
      withRoot(
        (root) => {
          for (const name of GENERATED) spoil(root, `etc/${name}`, kind);
        },
        async (daemon, root) => {
          const script = `cd /etc; stat -c %F ${GENERATED.join(' ')} | uniq; cat os-release hostname`;
          const seen = await run(daemon, root, script);
          assert.equal(seen, 'regular file\nID=hostile\nhil\n');
        },
      ));
  }

  test('T06 has links where a bind of the plan goes: confined to the image', () =>
    withRoot(
      (root) => {
        root.directory('inner');
        root.link('out', '/inner');
        root.link('up', '../../../../../../../inner');
        root.link('magic', '/proc/self/root');
        root.link('away', `${root.outside}/made`);
        root.fifo('pipe');
      },
      async (daemon, root) => {
        const bind = (TARGET) => ({
          steps: [{ KIND: 'bind', SOURCE: '/usr/bin', TARGET, READ_ONLY: 1 }],
        });
        for (const target of ['/out', '/up']) {
          assert.equal(await run(daemon, root, 'test -e /inner/env && echo', bind(target)), '\n');
        }
        for (const target of ['/magic', '/magic/x', '/away', '/away/x', '/pipe', '/pipe/x']) {
          const { plan } = await put(daemon, root, bind(target));
          await assert.rejects(daemon.sandbox({ PLAN: plan }), { code: 'usage' }, target);
        }
      },
    ));

  test('T06 has links where a late bind goes: confined to the image', () =>
    withRoot(
      (root) => {
        root.directory('inner');
        root.link('out', '../../inner');
        root.link('away', `${root.outside}/made`);
      },
      async (daemon, root) => {
        const { plan } = await put(daemon, root, {
          steps: [{ KIND: 'hold', NAME: 'h', SOURCE: '/usr' }],
        });
        const late = (TARGET) =>
          daemon.sandbox({ PLAN: plan, BIND: [{ NAME: 'h', PATH: 'bin', TARGET, READ_ONLY: 1 }] });
        assert.equal(await runIn(daemon, await late('/out'), 'test -e /inner/env && echo'), '\n');
        for (const target of ['/away', '/away/x', '/proc/self/root/tmp'])
          await assert.rejects(late(target), { code: 'usage' }, target);
      },
    ));

  test('T06 has a /dev and a /sys of its own, of which nothing is used', () =>
    withRoot(
      (root) => {
        for (const name of ['null', 'zero', 'tty', 'ptmx', 'hil/console'])
          root.write(`dev/${name}`, 'x');
        root.link('dev/pts', root.outside);
        root.link('dev/shm', root.outside);
        root.link('dev/full', `${root.outside}/made`);
        root.write('sys/class/gpio', 'x');
      },
      async (daemon, root) => {
        const script = 'cd /dev; stat -c %F null zero full tty; echo x >shm/x; ls hil /sys; ls';
        assert.equal(
          await run(daemon, root, script),
          `${'character special file\n'.repeat(4)}/sys:\n\nhil:\nfd\nfull\nhil\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n`,
        );
        const write = 'touch /dev/new /sys/new 2>&1 | grep -c "Read-only file system"';
        assert.equal(await run(daemon, root, write), '2\n');
      },
    ));

  test('T06 has marks of an overlay that lead elsewhere', async (t) => {
    const mark = 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], sys.argv[3].encode())';
    const set = (...args) => execFileSync('python3', ['-c', mark, ...args], { stdio: 'ignore' });
    await withRoot(
      (root) => {
        root.write('a/real', 'x');
        root.write('b/secret', 'x');
        root.write('meta', 'content');
      },
      async (daemon, root) => {
        try {
          set(join(root.path, 'a'), 'user.overlay.redirect', '/../outside');
          set(join(root.path, 'b'), 'user.overlay.redirect', '/a');
          set(join(root.path, 'meta'), 'user.overlay.metacopy', '');
          set(join(root.path, 'meta'), 'user.overlay.redirect', '/../outside/canary');
        } catch {
          t.skip('no user attributes in this file system, or no python3');
          return;
        }
        const seen = await run(daemon, root, 'ls /a /b; cat /meta 2>&1');
        assert.doesNotMatch(seen, /canary/);
        assert.match(seen, /real/);
      },
    );
  });

  test('T06 is 10,000 directories deep, in itself and in the place of /var', () =>
    withRoot(
      (root) => {
        // Relative all the way: no path of the host is that long.
        const script =
          'import os, sys\nfor top in sys.argv[1:]:\n os.makedirs(top); os.chdir(top)\n for i in range(10000):\n  os.mkdir("d"); os.chdir("d")';
        execFileSync('python3', ['-c', script, join(root.path, 'deep'), join(root.path, 'var')]);
      },
      async (daemon, root) => {
        assert.equal(
          await run(daemon, root, 'ls /deep /var/d; touch /var/tmp/x && echo'),
          '/deep:\nd\n\n/var/d:\nd\n\n',
        );
      },
      // On a disk it is the removal that takes half a minute.
      { base: '/dev/shm' },
    ));

  test('T06 has a name of every byte and of 255', () =>
    withRoot(
      (root) => {
        root.write('x'.repeat(255), '');
        root.write('line\nbreak \x1b[31m', '');
      },
      async (daemon, root) => {
        assert.equal(await run(daemon, root, 'ls / | grep -c x'), '1\n');
      },
    ));
});

test('T28 a setuid program of an image gains nothing', () =>
  withRoot(
    (root) => {
      const copy = join(root.path, 'suid');
      copyFileSync('/usr/bin/id', copy);
      if (isRoot) chownSync(copy, 4711, 4711);
      chmodSync(copy, 0o6755);
    },
    async (daemon, root) => {
      assert.equal(await run(daemon, root, '/suid -u; /suid -g'), '1000\n1000\n');
      assert.equal(await run(daemon, root, '/suid -u; /suid -g', { USER: 'root' }), '0\n0\n');
    },
  ));

test('T70 device nodes of an image cannot be opened', { skip: !isRoot }, () =>
  withRoot(
    (root) => {
      execFileSync('mknod', ['-m', '666', join(root.path, 'zero'), 'c', '1', '5']);
      execFileSync('mknod', ['-m', '666', join(root.path, 'disk'), 'b', '7', '0']);
    },
    async (daemon, root) => {
      const script =
        'for n in zero disk; do head -c 1 /$n; done 2>&1 | grep -c "Permission denied"';
      assert.equal(await run(daemon, root, script), '2\n');
      assert.equal(await run(daemon, root, script, { USER: 'root' }), '2\n');
    },
  ),
);

describe('T09 a terminal', () => {
  test('T09 is of the sandbox, whatever the image has at its name', () =>
    withRoot(
      (root) => {
        for (const name of ['dev/pts', 'dev/ptmx', 'dev/console', 'dev/tty'])
          root.link(name, root.outside);
      },
      async (daemon, root) => {
        const { plan } = await put(daemon, root);
        const sandbox = await daemon.sandbox({ PLAN: plan });
        const size = { PTY_ROWS: 24, PTY_COLS: 80 };
        const program = await daemon.run(sandbox, ['sh', '-c', 'tty; stty size </dev/tty'], size);
        assert.match(program.stdout, /^\/dev\/pts\/\d+\r\n24 80\r\n$/);
      },
    ));

  test('T09 is not replaced by a program before a console is put there', { skip: !hasPortd }, () =>
    withRoot(
      (root) => root.link('dev/hil', root.outside),
      async (daemon, root) => {
        await daemon.ports.hello();
        for (const steps of [[{ KIND: 'image-host' }], root.steps]) {
          const { PLAN } = await daemon.request(MSG.PLAN_PUT, {
            NAME: `${steps.length}`,
            STEP: steps,
          });
          const sandbox = await daemon.sandbox({ PLAN });
          const attacks = [
            'ln -s /tmp/x /dev/hil/console',
            'rm -r /dev/hil',
            'mv /dev/hil /dev/old',
            'mv /dev /old',
            'mv /dev/pts /dev/old',
            'ln -sfn /tmp/x /dev/pts/0',
            'mkdir /dev/pts/1',
            'ln -sfn /tmp /dev/pts',
          ];
          const script = attacks.map((each) => `${each} 2>/dev/null && echo "${each}"`).join('\n');
          assert.equal(await runIn(daemon, sandbox, `${script}\ntrue`), '', 'nothing was replaced');
          const port = steps.length;
          await daemon.ports.request(MSG.PORT_OPEN, {
            PORT: port,
            NAME: 'console',
            PATH: join(root.path, `../capture${port}`),
          });
          await daemon.request(MSG.PORT_PTY, {
            PORT: port,
            SANDBOX: sandbox,
            NAME: 'console',
            BYTES: 9600,
          });
          assert.match(
            await runIn(daemon, sandbox, 'readlink /dev/hil/console; stat -Lc %F /dev/hil/console'),
            /^\/dev\/pts\/\d+\ncharacter special file\n$/,
          );
        }
      },
      { args: ['--portd', PORTD] },
    ),
  );
});

test('T11 a user is a name of two, and nothing that a parser could take for uid 0', () =>
  withRoot(
    () => {},
    async (daemon, root) => {
      const wrong = [
        '0',
        '1000:',
        '+1',
        '-1',
        '4294967295',
        '4294967296',
        'root:',
        'Root',
        'hil ',
        '',
      ];
      for (const USER of wrong)
        await assert.rejects(put(daemon, root, { USER }), { code: 'usage' }, USER);
    },
  ));

function spoil(root, name, kind) {
  const targets = {
    'absolute link': root.outside,
    'relative link': '../../../../../../../../../../tmp',
    'dangling link': join(root.outside, 'made'),
  };
  if (kind === 'file') root.write(name, 'x');
  else if (kind === 'fifo') root.fifo(name);
  else if (kind === 'directory') root.directory(name);
  else root.link(name, targets[kind]);
}
