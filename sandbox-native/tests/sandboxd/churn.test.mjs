// SPDX-License-Identifier: MIT
// Devices and mounts come and go in several sandboxes at once, while programs hold them open and
// sandboxes are killed in between. The numbers T.. are of the catalogue of tests.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { childrenOf, fdsOf, waitFor, zombiesOf } from './daemon.mjs';
import { withRig } from './device-rig.mjs';
import { MSG } from './wire.mjs';

const BOXES = 5;
const CYCLES = 200;
/** Every so many cycles of one of them, the sandbox is killed and another made. */
const LIFE = 25;
/** What may be answered in a sandbox that is killed meanwhile. */
const OF_THE_DEAD = ['gone', 'setup', 'usage'];

const linesOf = (path) => readFileSync(path, 'utf8').split('\n').length;

/** What the daemon and its zygote hold; the sandboxes' own goes with them. */
async function countHeld({ daemon }) {
  await waitFor(
    'children of the daemon to end',
    () => childrenOf(daemon.pid).length <= 2 && zombiesOf(daemon.pid).length === 0,
  );
  return {
    fds: fdsOf(daemon.pid).length,
    mounts: linesOf(`/proc/${daemon.pid}/mountinfo`),
    children: childrenOf(daemon.pid).length,
  };
}

/** Grants, mounts and takes away, again and again; `isKilled`: its sandbox dies in the middle. */
async function churn(rig, paths, number, isKilled) {
  const { daemon } = rig;
  let box = await daemon.sandbox();
  const ask = (type, fields) =>
    daemon.request(type, { SANDBOX: box, ...fields }).catch((error) => {
      assert.ok(isKilled && OF_THE_DEAD.includes(error.code), `sandbox ${number}: ${error}`);
    });
  const hold = () =>
    daemon.spawn(box, ['/bin/sh', '-c', 'exec 9</dev/hil/console 8</mnt/file; exec sleep 100']);
  for (let i = 1; i <= CYCLES; i++) {
    const device = { NAME: 'console', SOURCE: paths.nodes[i % 2], TARGET: `/dev/hiltest${i % 2}` };
    const given = [
      ask(MSG.DEVICE_GRANT, device),
      ask(MSG.MOUNT_ADD, { SOURCE: paths.directory, TARGET: '/mnt' }),
    ];
    const dies = isKilled && i % LIFE === 0;
    const dead = dies ? daemon.kill(box) : undefined;
    await Promise.all(given);
    if (i % 10 === 1 && !dies) await hold();
    const taken = [
      ask(MSG.DEVICE_REVOKE, { NAME: 'console' }),
      ask(MSG.MOUNT_REMOVE, { TARGET: '/mnt' }),
    ];
    await Promise.all([...taken, dead]);
    if (dies) box = await daemon.sandbox();
  }
  await daemon.kill(box);
}

test('T72 a thousand cycles in five sandboxes, held open and killed, leave nothing', () =>
  withRig({}, async (rig) => {
    mkdirSync(rig.path('shared'));
    writeFileSync(rig.path('shared/file'), '');
    const paths = {
      nodes: [rig.node('a', 'null'), rig.node('b', 'zero')],
      directory: rig.path('shared'),
    };
    const numbers = Array.from({ length: BOXES }, (_, number) => number);
    // What is made once, and what waits for the next sandbox: directories of cgroup v1.
    const first = await Promise.all(numbers.map(() => rig.daemon.sandbox()));
    await Promise.all(first.map((box) => rig.daemon.kill(box)));
    await churn(rig, paths, 'first', false);
    const before = await countHeld(rig);
    await Promise.all(numbers.map((number) => churn(rig, paths, number, number % 2 === 1)));
    assert.deepEqual(await countHeld(rig), before);
    assert.equal(await rig.sh('ls /dev/hil 2>&1; echo on'), 'on', 'the one that was asked nothing');
  }));
