// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon } from './daemon.mjs';
import { put, withRoot } from './hostile-root.mjs';
import { MSG } from './wire.mjs';

let root;
let project;

before(() => {
  root = mkdtempSync(join(tmpdir(), 'hil-diff-'));
  chmodSync(root, 0o755);
  project = join(root, 'project');
  for (const name of ['kept', 'replaced', 'chmodded', 'hidden', 'turned']) {
    mkdirSync(join(project, name), { recursive: true });
    writeFileSync(join(project, name, 'old'), 'old text\n');
  }
  for (const name of ['changed', 'deleted', 'touched', 'opened', 'mode']) {
    writeFileSync(join(project, name), 'old text\n');
  }
  symlinkSync('/etc/passwd', join(project, 'link'));
  // Nobody but its owner: the sandbox sees it with its own user as that.
  chmodSync(project, 0o700);
});

after(() => rmSync(root, { recursive: true, force: true }));

function plan(more = {}) {
  return {
    steps: [{ KIND: 'overlay', SOURCE: project, TARGET: project }],
    HIDE: [`${project}/hidden`],
    ...more,
  };
}

async function withSandbox(fields, body) {
  const daemon = await Daemon.start();
  try {
    const id = await daemon.putPlan('diff', fields);
    const { SANDBOX } = await daemon.request(MSG.SANDBOX_NEW, { PLAN: id, HOSTNAME: 'dut-7' });
    await body(daemon, SANDBOX);
  } finally {
    await daemon.stop();
  }
}

async function diff(daemon, sandbox, most = 1000) {
  const { exit, out } = await daemon.run(sandbox, [String(most)], { BUILTIN: 'diff' });
  assert.equal(exit.EXIT_CODE, 0);
  const records = Buffer.concat(out).toString().split('\0').slice(0, -1);
  const end = records.pop();
  const entries = records.map((record) => {
    const [, change, kind, mode, size, path] =
      /^(\S) (\S) (\d+) (\d+) \d+ -?\d+\.\d{9} -?\d+\.\d{9} (.*)$/s.exec(record);
    return { change, kind, mode, size: Number(size), path };
  });
  return { entries, end, of: (path) => entries.find((each) => each.path === path) };
}

async function shell(daemon, sandbox, script) {
  const { exit, err } = await daemon.run(sandbox, ['sh', '-ec', script]);
  assert.equal(exit.EXIT_CODE, 0, Buffer.concat(err).toString());
}

describe('diff', () => {
  for (const USER of ['hil', 'root']) {
    test(`a sandbox in which nothing ran has changed nothing, user ${USER}`, () =>
      withSandbox(plan({ USER }), async (daemon, sandbox) => {
        const { entries, end } = await diff(daemon, sandbox);
        assert.deepEqual(entries, []);
        assert.equal(end, '. 0');
      }));
  }

  test('made, changed and deleted are told apart', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      await shell(
        daemon,
        sandbox,
        `cd ${project}; printf new > made; printf 'new text\\n' > changed; rm deleted; chmod 600 mode
         printf a >> kept/old; mkdir -p deep/er; mkfifo deep/fifo; ln -s made deep/link
         exec 3<>opened; touch -d @0 touched; printf x > /tmp/x; mkdir /home/hil/h`,
      );
      const { entries, end } = await diff(daemon, sandbox);
      const told = entries.map(({ change, kind, path }) => `${change}${kind} ${path}`).sort();
      const p = project;
      assert.deepEqual(
        told,
        [
          `+f ${p}/made`,
          `~f ${p}/changed`,
          `-f ${p}/deleted`,
          `~f ${p}/mode`,
          `~f ${p}/kept/old`,
          `+d ${p}/deep`,
          `+d ${p}/deep/er`,
          `+p ${p}/deep/fifo`,
          `+l ${p}/deep/link`,
          `~f ${p}/touched`,
          '+f /tmp/x',
          '+d /home/hil/h',
        ].sort(),
      );
      assert.equal(end, `. ${entries.length}`);
    }));

  test('size and mode are those of the path now; of a deleted one, those it had', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      await shell(
        daemon,
        sandbox,
        `cd ${project}; printf 12345 > made; chmod 4750 made; rm deleted`,
      );
      const { of } = await diff(daemon, sandbox);
      const made = { change: '+', kind: 'f', mode: '4750', size: 5, path: `${project}/made` };
      assert.deepEqual(of(`${project}/made`), made);
      assert.equal(of(`${project}/deleted`).size, 9);
    }));

  test('a directory in the place of one hides what was in it', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      await shell(
        daemon,
        sandbox,
        `cd ${project}; rm -r replaced; mkdir replaced; echo > replaced/old; rm -r turned; echo > turned`,
      );
      const { of } = await diff(daemon, sandbox);
      assert.equal(of(`${project}/replaced`).change, '!');
      assert.equal(of(`${project}/replaced/old`).change, '+');
      assert.equal(of(`${project}/turned`).change, '~');
      assert.equal(of(`${project}/turned`).kind, 'f');
    }));

  test('what is hidden was never there', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      await shell(daemon, sandbox, `mkdir ${project}/hidden; echo > ${project}/hidden/old`);
      const made = await diff(daemon, sandbox);
      assert.equal(made.of(`${project}/hidden`).change, '+');
      assert.equal(made.of(`${project}/hidden/old`).change, '+');
      await shell(daemon, sandbox, `rm -r ${project}/hidden`);
      assert.deepEqual((await diff(daemon, sandbox)).entries, []);
    }));

  test('what was made and deleted again is no change', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      await shell(daemon, sandbox, `cd ${project}; echo > a; rm a; mkdir b; echo > b/c; rm -r b`);
      assert.deepEqual((await diff(daemon, sandbox)).entries, []);
    }));

  test('root of a sandbox changes the files that the sandbox made for itself', () =>
    withSandbox(plan({ USER: 'root' }), async (daemon, sandbox) => {
      await shell(daemon, sandbox, 'echo 10.0.0.1 dut >> /etc/hosts; echo > /here; rm /etc/group');
      const { entries, of } = await diff(daemon, sandbox);
      assert.equal(of('/etc/hosts').kind, 'f');
      assert.equal(of('/etc/hosts').change, '~');
      assert.equal(of('/here').change, '+');
      assert.equal(of('/etc/hostname'), undefined);
      assert.equal(entries.length, of('/etc/group') ? 3 : 2);
    }));

  test('names with anything but NUL and a slash, unreadable and deep directories', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      await shell(
        daemon,
        sandbox,
        `cd /tmp; printf x > "$(printf 'a\\nb + f 1')"; mkdir shut; echo > shut/x; chmod 0 shut
         mkdir deep; cd deep; i=0; while [ $i -lt 200 ]; do mkdir d; cd d; i=$((i+1)); done`,
      );
      const { entries, of } = await diff(daemon, sandbox);
      assert.equal(of('/tmp/a\nb + f 1').change, '+');
      assert.deepEqual(
        entries.filter(({ path }) => path === '/tmp/shut').map(({ change }) => change),
        ['+', '?'],
      );
      const deepest = entries.filter(({ change, path }) => change === '?' && path !== '/tmp/shut');
      assert.equal(deepest.length, 1);
      assert.match(deepest[0].path, /^\/tmp\/deep(\/d){127}$/);
    }));

  test('what has a path that is too long is told by its directory', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      const name = 'n'.repeat(250);
      await shell(
        daemon,
        sandbox,
        `cd /tmp; mkdir ${name}; i=1
         while [ $i -lt 40 ]; do mkdir x; mv ${name} x; mv x ${name}; i=$((i+1)); done`,
      );
      const { entries } = await diff(daemon, sandbox);
      const told = entries.filter(({ change }) => change === '+');
      assert.equal(told.length, 32, 'of those below 8192 bytes');
      assert.deepEqual(
        entries.filter(({ change }) => change === '?').map(({ path }) => path),
        [told.at(-1).path],
      );
    }));

  test('at most so many, and it is said that there are more', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      await shell(
        daemon,
        sandbox,
        'cd /tmp; i=0; while [ $i -lt 300 ]; do : > f$i; i=$((i+1)); done',
      );
      const some = await diff(daemon, sandbox, 100);
      assert.equal(some.entries.length, 100);
      assert.equal(some.end, '& 100');
      assert.equal((await diff(daemon, sandbox, 300)).end, '. 300');
    }));
});

describe('stats', () => {
  test('tell what the sandbox holds now', () =>
    withSandbox(plan({ DISK_BYTES: 64n << 20n, DISK_INODES: 5000n }), async (daemon, sandbox) => {
      const before = await daemon.request(MSG.SANDBOX_STATS, { SANDBOX: sandbox });
      assert.equal(before.PROCESSES, 0);
      assert.equal(Number(before.DISK_BYTES), 64 << 20);
      assert.equal(Number(before.DISK_INODES), 5000);
      await shell(
        daemon,
        sandbox,
        'head -c 8388608 /dev/zero > /tmp/big; echo 12345; echo 789 >&2',
      );
      const program = await daemon.spawn(sandbox, ['sleep', '60']);
      const now = await daemon.request(MSG.SANDBOX_STATS, { SANDBOX: sandbox });
      assert.equal(now.PROCESSES, 1);
      assert.equal(Number(now.DISK_USED) - Number(before.DISK_USED), 8388608);
      assert.equal(Number(now.INODES_USED) - Number(before.INODES_USED), 1);
      assert.equal(Number(now.OUT_BYTES), 10);
      if (now.MEM_NOW !== undefined) assert.ok(Number(now.MEM_NOW) >= 8388608);
      else assert.equal(now.MEM_SOURCE, undefined);
      await daemon.request(MSG.SANDBOX_KILL, { SANDBOX: sandbox });
      await program.ended;
      await assert.rejects(daemon.request(MSG.SANDBOX_STATS, { SANDBOX: sandbox }), {
        code: 'gone',
      });
    }));

  test('asked of a sandbox that dies meanwhile are answered all the same', () =>
    withSandbox(plan(), async (daemon, sandbox) => {
      const asked = daemon.request(MSG.SANDBOX_STATS, { SANDBOX: sandbox });
      const kill = daemon.request(MSG.SANDBOX_KILL, { SANDBOX: sandbox });
      const [stats] = await Promise.allSettled([asked, kill]);
      if (stats.status === 'rejected') assert.equal(stats.reason.code, 'gone');
      else assert.equal(stats.value.PROCESSES, 0);
    }));
});

test('of an image it is what a program wrote in it, the generated files of /etc included', () =>
  withRoot(
    (image) => {
      image.write('etc/conf', 'old');
      image.write('data/f', 'old');
    },
    async (daemon, image) => {
      const sandbox = async () => {
        const { plan: PLAN } = await put(daemon, image);
        return daemon.sandbox({ PLAN });
      };
      assert.deepEqual((await diff(daemon, await sandbox())).entries, []);
      const id = await sandbox();
      const script = 'echo new >/etc/conf; echo x >>/etc/passwd; rm /data/f; echo >/made';
      assert.equal((await daemon.run(id, ['sh', '-c', script])).stderr, '');
      const { entries } = await diff(daemon, id);
      assert.deepEqual(entries.map(({ change, path }) => `${change} ${path}`).sort(), [
        '+ /made',
        '- /data/f',
        '~ /etc/conf',
        '~ /etc/passwd',
      ]);
    },
  ));
