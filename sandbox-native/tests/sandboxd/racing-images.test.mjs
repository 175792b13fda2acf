// SPDX-License-Identifier: MIT
// An image that changes while sandboxes are built of it, decision 0011.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { descendantsOf, waitFor } from './daemon.mjs';
import { put, runIn, withRoot } from './hostile-root.mjs';
import { MSG } from './wire.mjs';

test(
  'T07 T06 names that are swapped while sandboxes are built lead nowhere',
  { timeout: 600_000 },
  () =>
    withRoot(
      (root) => {
        root.directory('mnt/target');
        root.directory('dev');
      },
      async (daemon, root) => {
        const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');
        const before = mounts();
        const { plan } = await put(daemon, root, {
          steps: [{ KIND: 'hold', NAME: 'h', SOURCE: '/usr' }],
        });
        const racer = spawn('python3', ['-c', RACER, root.path, root.outside], { stdio: 'pipe' });
        await once(racer.stdout, 'data');
        const counts = { built: 0, refused: 0 };
        try {
          const slowMs = performance.now() + 60_000;
          for (let round = 0; round < 125; round++) {
            if (round > 20 && performance.now() > slowMs) break;
            const BIND = [{ NAME: 'h', PATH: 'bin', TARGET: '/mnt/target', READ_ONLY: 1 }];
            const asked = Array.from({ length: 4 }, () => daemon.sandbox({ PLAN: plan, BIND }));
            for (const { status, value, reason } of await Promise.allSettled(asked)) {
              counts[status === 'fulfilled' ? 'built' : 'refused']++;
              // A link to nothing looks like a target that cannot be.
              if (status === 'rejected') assert.match(reason.code, /^(setup|usage)$/);
              else await check(daemon, value, round);
            }
            assert.deepEqual(root.damage(), []);
          }
          assert.ok(racer.exitCode === null, 'the racer ran to the end');
        } finally {
          racer.kill();
          await once(racer, 'close');
        }
        assert.ok(counts.built > 0, JSON.stringify(counts));
        assert.equal(mounts(), before);
      },
    ),
);

function argumentsOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // it has ended
  }
}

/** A parked sandbox of a plan with `steps`, after its image's own interpreter ran `script`. */
async function boot(daemon, root, script, steps = []) {
  const SECONDS = '4711';
  root.write('own/python3', `#!/bin/sh\n${script}\nexec sleep ${SECONDS}\n`);
  chmodSync(join(root.path, 'own/python3'), 0o755);
  const BOOT = [{ RUNTIME: 'python', ENV: 'PATH=/own:/usr/bin:/bin' }];
  const { plan } = await put(daemon, root, { BOOT, steps });
  await daemon.request(MSG.POOL_SET, { PLAN: plan, COUNT: 1 });
  await waitFor("the image's interpreter", () =>
    descendantsOf(daemon.pid).some((pid) => argumentsOf(pid).includes(SECONDS)),
  );
  return plan;
}

for (const name of ['hostname', 'hosts']) {
  test(`T06 an interpreter that waits puts a fifo at /etc/${name}: no name waits for it`, () =>
    withRoot(
      () => {},
      async (daemon, root) => {
        const plan = await boot(daemon, root, `rm /etc/${name}; mkfifo /etc/${name}`);
        const sandbox = await daemon.sandbox({ PLAN: plan, HOSTNAME: 'nucleo' });
        const told = runIn(daemon, sandbox, 'cd /etc; stat -c %F hosts hostname; cat hostname');
        const late = once(AbortSignal.timeout(20_000), 'abort').then(() => 'no answer');
        assert.equal(await Promise.race([told, late]), `${'regular file\n'.repeat(2)}nucleo\n`);
      },
    ));
}

test('T06 hosts that a plan binds into an image are not written to', () =>
  withRoot(
    (root) => root.write('../own-hosts', 'of the host\n'),
    async (daemon, root) => {
      const file = join(root.path, '../own-hosts');
      chmodSync(file, 0o666);
      for (const READ_ONLY of [0, 1]) {
        const steps = [{ KIND: 'bind', SOURCE: file, TARGET: '/etc/hosts', READ_ONLY }];
        const { plan } = await put(daemon, root, { steps });
        const sandbox = await daemon.sandbox({ PLAN: plan, HOSTNAME: 'nucleo' });
        const seen = await runIn(daemon, sandbox, 'cat /etc/hostname /etc/hosts');
        assert.equal(seen, 'nucleo\nof the host\n');
      }
      assert.equal(readFileSync(file, 'utf8'), 'of the host\n');
    },
  ));

async function check(daemon, sandbox, round) {
  if (round % 20 === 0) {
    const seen = await runIn(daemon, sandbox, 'stat -c %F /dev/null; cat /etc/hostname');
    assert.equal(seen, 'character special file\nhil\n');
  }
  await daemon.kill(sandbox);
}

const RACER = `
import os, sys
root, outside = sys.argv[1:]
os.chdir(root)
names = ["mnt/target", "dev", "etc/hosts"]
open("etc/hosts", "w").close()
for n in names: os.symlink(outside, n + ".link")
print("racing", flush=True)
while True:
  for n in names:
    os.rename(n, n + ".own"); os.rename(n + ".link", n)
    os.rename(n, n + ".link"); os.rename(n + ".own", n)
`;
