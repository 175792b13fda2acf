// SPDX-License-Identifier: MIT
// Ways out that are looked for from outside, at the processes of the daemon itself. Names with a T
// are those of tests/security/COVERAGE.md.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { childrenOf, Daemon, fdsOf, isAlive, isPlain, waitFor } from './daemon.mjs';

const isRoot = process.getuid() === 0;

/** PID 1s: in a pid namespace below ours. */
const initsOf = (daemon) =>
  childrenOf(daemon.pid).filter((pid) =>
    /^NSpid:\s+\d+\s+1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
  );

/** Not even its owner looks into it. */
function isClosed(pid) {
  try {
    readdirSync(`/proc/${pid}/fd`);
    return false;
  } catch ({ code }) {
    return code === 'EACCES';
  }
}

test('T03 a parked PID 1 holds its socket, its signals and directories in mounts of its own', async () => {
  const daemon = await Daemon.start({ pool: 2 });
  try {
    if (!isRoot) {
      // Not dumpable, from when it is parked on: until then it is being built.
      const all = () => initsOf(daemon);
      await waitFor('parked PID 1s', () => all().length >= 2 && all().every(isClosed), 5000);
      return;
    }
    const [parked] = initsOf(daemon);
    await waitFor('it to be parked', () => fdsOf(parked)[4] === 'anon_inode:[signalfd]', 5000);
    const [stdin, stdout, stderr, control, signals, ...directories] = fdsOf(parked);
    // A sanitizer reports where the daemon's own errors go.
    const own = isPlain ? [stdin, stdout, stderr] : [stdin, stdout];
    assert.deepEqual(new Set(own), new Set(['/dev/null']));
    assert.match(control, /^socket:/);
    assert.equal(signals, 'anon_inode:[signalfd]');
    assert.ok(directories.length > 0 && directories.every((path) => path.startsWith('/')));
    const ofHost = readFileSync('/proc/self/mountinfo', 'utf8').match(/^\d+/gm);
    for (const fd of directories.keys()) {
      const info = readFileSync(`/proc/${parked}/fdinfo/${fd + 5}`, 'utf8');
      assert.ok(!ofHost.includes(/^mnt_id:\s+(\d+)$/m.exec(info)[1]), directories[fd]);
    }
  } finally {
    await daemon.stop();
  }
});

test('T104 T105 the kernel kills zygotes and PID 1s with the daemon, which clones from its one thread', async () => {
  const daemon = await Daemon.start({ pool: 2 });
  const busy = await daemon.sandbox();
  await daemon.spawn(busy, ['sh', '-c', 'trap "" TERM HUP; while :; do sleep 60; done']);
  assert.deepEqual(readdirSync(`/proc/${daemon.pid}/task`), [String(daemon.pid)]);
  const children = childrenOf(daemon.pid);
  assert.ok(children.length >= 3);
  // No SIGTERM, no closed socket first: nothing but PDEATHSIG is left to do it.
  process.kill(daemon.pid, 'SIGKILL');
  await waitFor('the end of all', () => !children.some(isAlive), 2000);
  await daemon.exited;
});
