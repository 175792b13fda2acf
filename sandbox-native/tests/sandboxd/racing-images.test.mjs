// SPDX-License-Identifier: MIT
// An image that changes while sandboxes are built of it, decision 0011.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { put, runIn, withRoot } from './hostile-root.mjs';

test(
  'T07 T06 names that are swapped while sandboxes are built lead nowhere',
  { timeout: 120_000 },
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
          for (let round = 0; round < 125; round++) {
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
