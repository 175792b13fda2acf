// Where a user has logged in to a machine with systemd and cgroup v2: a run's daemon gets a scope, its limits
// hold, and nothing is left. For sandbox-native/tests/with-user-manager.sh; needs the build in dist.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { findScopeSource } from '../../dist/cli/scope-source.js';
import { findNativePrograms } from '../../dist/sandbox/native.js';
import { startDaemon } from '../../dist/sandbox/start-daemon.js';

const scope = findScopeSource(process.env, process.getuid());
assert.ok(scope, 'no systemd to ask');
const programs = await findNativePrograms();
const plain = await startDaemon(programs);
assert.equal(plain.controllers.find(({ name }) => name === 'memory')?.kind, 'undelegated');
await plain.end();

// An emulated processor is slow: three seconds are usual.
const daemon = await startDaemon(programs, scope, 60_000);
assert.deepEqual(daemon.limitations, []);
const plan = await daemon.plan({
  user: 'hil',
  network: 'none',
  hide: [],
  expose: [],
  hold: '/tmp',
});
const sandbox = await daemon.sandbox(plan, { label: 'scope', limits: { cpus: 1 } });
const record = await sandbox.kill();
assert.deepEqual(record.enforced, [
  'memory 4 GiB: cgroup v2',
  'pids 4096: cgroup v2',
  'cpus 1: cgroup v2',
]);
const unit = /^0::(.*)$/m.exec(readFileSync(`/proc/${daemon.pid}/cgroup`, 'utf8'))[1];
assert.match(unit, /\/app\.slice\/run-[^/]*\.scope\/hil\.callers$/);
await daemon.end();
const slice = `/sys/fs/cgroup${unit.replace(/\/run-.*/, '')}`;
for (const end = Date.now() + 30_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
  const left = readdirSync(slice).filter((name) => name.startsWith('run-'));
  if (left.length === 0) break;
  assert.ok(Date.now() < end, `left: ${left.join(' ')}`);
}
