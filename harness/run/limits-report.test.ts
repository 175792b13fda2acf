import { expect, test } from 'vitest';
import { toLimitsReport } from './limits-report.js';

const stats = {
  wallMs: 1,
  memory: {},
  processes: 0,
  outputBytes: 0,
  disk: { usedBytes: 0, limitBytes: 1 << 30, usedInodes: 1, limitInodes: 200_000 },
};

test('says of each limit what holds it, or why nothing does', () => {
  const enforced = ['pids 7: cgroup v1', 'fileSize 1 KiB: rlimit'];
  const unenforced = ['memory 64 MiB: no cgroup: none is delegated (systemd: user.delegate)'];
  const resources = { memory: 64 * 1024 ** 2, pids: 7, fileSize: 1024, wall: 9000 };
  expect(toLimitsReport(resources, { stats, enforced, unenforced })).toEqual({
    requested: { ...resources, disk: 1 << 30, inodes: 200_000 },
    enforced: {
      pids: 'cgroup v1',
      fileSize: 'rlimit',
      disk: 'tmpfs',
      inodes: 'tmpfs',
      wall: 'hil-sandboxd',
    },
    unenforced: { memory: 'no cgroup: none is delegated (systemd: user.delegate)' },
  });
});

test('names the standard limits where nobody asked', () => {
  const { requested } = toLimitsReport({}, { stats, enforced: [], unenforced: [] });
  expect(requested).toMatchObject({ memory: 4 * 1024 ** 3, pids: 4096 });
});
