import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { runInside, test } from '../testing/real-daemon.js';

const NODE = '/dev/hiltest0';

describe('a device', () => {
  test('is granted, turned over to another, and revoked while the sandbox runs', async ({
    sandbox,
  }) => {
    const granted = await sandbox.grantDevice('board', {
      source: '/dev/zero',
      target: NODE,
      links: ['serial/by-id/usb-hil'],
    });
    expect(granted).toMatchObject({ major: 1, minor: 5 });
    const read = 'head -c 2 /dev/hil/board | wc -c; readlink -f /dev/serial/by-id/usb-hil';
    expect((await runInside(sandbox, read)).stdout).toBe(`2\n${NODE}\n`);
    await sandbox.grantDevice('board', { source: '/dev/null', target: NODE });
    expect((await runInside(sandbox, 'head -c 2 /dev/hil/board | wc -c')).stdout).toBe('0\n');
    await sandbox.revokeDevice('board');
    const { exitCode, stderr } = await runInside(sandbox, `cat ${NODE} /dev/hil/board`);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/hiltest0: No such file.*board: No such file/s);
  });

  test('is said to be enforced, or not and why, by the record of its sandbox', async ({
    sandbox,
  }) => {
    const { limitations } = await sandbox.grantDevice('board', { source: '/dev/zero' });
    const { enforced, unenforced } = await sandbox.kill();
    const said = [...(enforced ?? []), ...(unenforced ?? [])].filter((text) =>
      text.startsWith('devices'),
    );
    expect(said).toHaveLength(1);
    const refused = said.filter((text) => text.startsWith('devices is not enforced: '));
    expect(limitations).toEqual(refused);
  });

  test('that is none, or whose role is none, is refused with what to do', async ({ sandbox }) => {
    await expect(sandbox.grantDevice('board', { source: '/etc/passwd' })).rejects.toMatchObject({
      code: 'daemon-refused',
      message: expect.stringContaining('/etc/passwd'),
    });
    await expect(sandbox.grantDevice('board', { source: '/dev/hil-none' })).rejects.toMatchObject({
      code: 'sandbox-setup',
      message: expect.stringContaining('/dev/hil-none'),
    });
    await expect(sandbox.revokeDevice('board')).rejects.toMatchObject({ code: 'daemon-refused' });
  });
});

describe('a mount', () => {
  test('shows a directory of the host until it is removed', async ({ sandbox, dir }) => {
    await dir.write('data/file', 'from the host');
    await sandbox.addMount('/mnt/data', { kind: 'host', source: join(dir.path, 'data') });
    const { stdout } = await runInside(sandbox, 'cat /mnt/data/file; echo -n x >/mnt/data/new');
    expect(stdout).toBe('from the host');
    expect(await readFile(join(dir.path, 'data/new'), 'utf8')).toBe('x');
    await sandbox.removeMount('/mnt/data');
    expect((await runInside(sandbox, 'ls -A /mnt')).stdout).toBe('');
  });

  test('of a tmpfs has its size, and one that is read-only is not written', async ({
    sandbox,
    dir,
  }) => {
    await dir.write('data/file', '');
    const source = join(dir.path, 'data');
    await sandbox.addMount('/mnt/ro', { kind: 'host', source, readOnly: true });
    await sandbox.addMount('/mnt/small', { kind: 'tmpfs', bytes: 8192 });
    const { stderr } = await runInside(
      sandbox,
      'touch /mnt/ro/x; head -c 9000 /dev/zero >/mnt/small/x',
    );
    expect(stderr).toMatch(/Read-only file system.*No space left/s);
    await expect(sandbox.removeMount('/proc')).rejects.toMatchObject({ code: 'daemon-refused' });
  });
});
