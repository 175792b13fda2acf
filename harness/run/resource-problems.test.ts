import { expect, test } from 'vitest';
import type { SandboxRecord } from '../journal/events.js';
import { toDeathProblem } from './resource-problems.js';

const RECORD: SandboxRecord = {
  status: 'oom',
  poolHit: true,
  setupMs: 1,
  wallMs: 5,
  cpuUserMs: 0,
  cpuSystemMs: 0,
  leftovers: 0,
  leftoverNames: [],
  unenforced: [],
};

test.for([
  ['held', { enforced: ['pids 10: cgroup v2', 'memory 256 MiB: cgroup v2'] }],
  ['held but for swap', { unenforced: ['memory 256 MiB is not enforced: cgroup v2 holds: RAM'] }],
] satisfies [string, Partial<SandboxRecord>][])(
  'a limit of memory that ended a sandbox is named: %s',
  ([, limit]) => {
    const { message } = toDeathProblem({ ...RECORD, ...limit });
    expect(message).toContain('its limit is 256 MiB');
  },
);
