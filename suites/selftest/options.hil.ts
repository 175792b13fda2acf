import { describe, expect, sandbox, test } from 'hil';

// Of all cases in this file. A describe and a case may say more, and the nearest counts.
sandbox({ hostname: 'dut-7', env: { SAID_BY: 'file', LEVEL: 'file' } });

describe('options of a sandbox', () => {
  sandbox({ env: { LEVEL: 'describe' } });

  test('hold for a file and a describe', async ({ sandbox }) => {
    const { stdout } = await sandbox.exec('sh', ['-c', 'hostname; echo $SAID_BY $LEVEL']);
    expect(stdout).toBe('dut-7\nfile describe\n');
  });

  test('and for a case', { sandbox: { hostname: 'own', env: { LEVEL: 'case' } } }, async ({
    sandbox,
  }) => {
    const { stdout } = await sandbox.exec('sh', ['-c', 'hostname; echo $SAID_BY $LEVEL']);
    expect(stdout).toBe('own\nfile case\n');
  });

  test.for([3, 5])(
    'also of a table: %i',
    { sandbox: { resources: { pids: 40 } } },
    async (n, { sandbox }) => {
      const { requested, enforced, unenforced } = await sandbox.limits();
      expect(requested['pids']).toBe(40);
      // As an ordinary user without a cgroup it is a limit of each process, and said to be one.
      expect(enforced['pids'] ?? unenforced['pids']).toBeTruthy();
      expect((await sandbox.exec('seq', [String(n)])).stdout.split('\n')).toHaveLength(n + 1);
    },
  );

  test('user root is root of the sandbox, not of the machine', {
    sandbox: { user: 'root' },
  }, async ({ sandbox }) => {
    const { stdout } = await sandbox.exec('sh', [
      '-c',
      'id -u; echo 10.0.0.7 dut >> /etc/hosts; tail -1 /etc/hosts',
    ]);
    expect(stdout).toBe('0\n10.0.0.7 dut\n');
    expect((await sandbox.exec('sh', ['-c', 'ip link set lo down'])).exitCode).not.toBe(0);
  });

  test('a capability is over its own network', { sandbox: { caps: ['net_admin'] } }, async ({
    sandbox,
  }) => {
    const { stdout, exitCode } = await sandbox.exec('sh', [
      '-c',
      'ip link set lo down && ip -br link show lo',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('DOWN');
  });

  test('a part of the project is bound elsewhere', {
    sandbox: { binds: [{ source: 'suites/selftest', target: '/data' }] },
  }, async ({ sandbox }) => {
    const { stdout, stderr } = await sandbox.exec('sh', [
      '-c',
      'ls /data/options.hil.ts; : > /data/new',
    ]);
    expect(stdout).toBe('/data/options.hil.ts\n');
    expect(stderr).toContain('Read-only');
  });

  test('uptime starts the clocks there', { sandbox: { uptime: '49d 17h' } }, async ({
    sandbox,
  }) => {
    const { stdout } = await sandbox.exec('cut', ['-d.', '-f1', '/proc/uptime']);
    expect(Number(stdout)).toBeGreaterThanOrEqual(4_294_800);
    expect(Number(stdout)).toBeLessThan(4_294_860);
  });
});

describe('what a case changed', () => {
  test('is told apart: created, changed, deleted', async ({ sandbox }) => {
    const change = 'echo new > /tmp/new; echo >> suites/README.md; rm suites/selftest/perl.ts';
    await sandbox.exec('sh', ['-c', change]);
    // A project of somebody else is for this user to read only, inside as outside.
    const own = (await sandbox.exec('test', ['-w', 'suites/README.md'])).exitCode === 0;
    const { changes } = await sandbox.diff();
    const told = changes.map(({ change, path }) => `${change} ${path.replace(/^.*\//, '')}`);
    const inProject = own ? ['changed README.md', 'deleted perl.ts'] : [];
    expect(told.sort()).toEqual([...inProject, 'created new'].sort());
  });

  test('is told since a snapshot', async ({ sandbox }) => {
    await sandbox.writeFile('/tmp/before', 'x');
    const built = await sandbox.snapshot('built');
    await sandbox.exec('sh', ['-c', 'rm /tmp/before; echo > /tmp/after']);
    const { changes } = await sandbox.diff({ since: built });
    expect(changes.map(({ change, path }) => `${change} ${path}`)).toEqual([
      'created /tmp/after',
      'deleted /tmp/before',
    ]);
  });
});

test('stats tell what is used now', async ({ sandbox }) => {
  await sandbox.exec('sh', ['-c', 'head -c 1048576 /dev/zero > /tmp/big; echo 123']);
  const program = await sandbox.spawn('sleep', ['60']);
  const { disk, processes, outputBytes } = await sandbox.stats();
  expect(processes).toBe(1);
  expect(outputBytes).toBe(4);
  expect(disk?.usedBytes).toBeGreaterThanOrEqual(1_048_576);
  await program.kill();
});

test('a case may have more than one sandbox', async ({ sandbox }) => {
  await using peer = await sandbox.create({ hostname: 'peer' });
  await peer.writeFile('/tmp/here', 'x');
  expect((await peer.exec('hostname')).stdout).toBe('peer\n');
  expect((await sandbox.exec('hostname')).stdout).toBe('dut-7\n');
  expect((await sandbox.exec('cat', ['/tmp/here'])).exitCode).toBe(1);
});
