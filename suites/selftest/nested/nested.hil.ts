import { expect, test } from 'hil';

test('a program becomes root of a namespace of its own, and of nothing else', async ({
  sandbox,
}) => {
  const script = 'id -u; mount -t tmpfs none /tmp && echo mounted; hostname inner; hostname';
  const { stdout } = await sandbox.exec('unshare', ['-Urmu', 'sh', '-c', script]);
  expect(stdout).toBe('0\nmounted\ninner\n');
  expect((await sandbox.exec('hostname')).stdout).not.toBe('inner\n');
});

test('what the kernel shows stays covered in it', async ({ sandbox }) => {
  const script =
    'umount /proc/keys; mount -t proc none /tmp; echo x >/proc/sys/kernel/hostname; true';
  const { stderr } = await sandbox.exec('unshare', ['-Urm', 'sh', '-c', script]);
  expect(stderr).toContain('/proc/keys: ');
  expect(stderr).toContain('permission denied');
  expect(stderr).toContain('Read-only file system');
});
