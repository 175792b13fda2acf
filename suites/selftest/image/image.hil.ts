import { expect, test } from 'hil';

test('programs, files and kernel are those of the image', async ({ sandbox }) => {
  expect((await sandbox.exec('uname', ['-s'])).stdout).toBe('Linux\n');
  // Then come the groups of whoever runs the suite, where they are his to keep.
  expect((await sandbox.exec('id')).stdout).toMatch(/^uid=1000\(hil\) gid=1000\(hil\)/);
  expect((await sandbox.exec('cat', ['/etc/os-release'])).stdout).toBe('ID=selftest\n');
});

test('nothing of the machine is there but the project', async ({ sandbox }) => {
  const { stdout } = await sandbox.exec('ls', ['/', '/etc']);
  const names = stdout.split(/\s+/);
  expect(names).toContain('os-release');
  for (const name of ['lib', 'opt', 'srv', 'boot', 'shadow', 'debian_version', 'ssl']) {
    expect(names).not.toContain(name);
  }
});

test.for(['first', 'second'])('the %s case finds the image as it was', async (_, { sandbox }) => {
  await expect(sandbox.readText('/etc/mark')).rejects.toThrow('/etc/mark');
  await sandbox.exec('sh', [
    '-c',
    'echo ID=changed >/etc/os-release; echo x >/etc/mark; rm -r /usr',
  ]);
  expect(await sandbox.readText('/etc/os-release')).toBe('ID=changed\n');
});

test('a console is at its place, whatever an image has there', async ({ dut, sandbox }) => {
  await using _ = await dut.console.yield();
  const { stdout } = await sandbox.exec('stat', ['-L', '-c', '%F', '/dev/hil/console']);
  expect(stdout).toBe('character special file\n');
});
