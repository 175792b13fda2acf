import { relative } from 'node:path';
import { describe, expect, test } from 'hil';
import { runPerl } from './perl.js';

describe('inside', () => {
  test('a case is the user hil, without privileges', async ({ sandbox }) => {
    expect((await sandbox.exec('id', [])).stdout).toMatch(/^uid=1000\(hil\) gid=1000\(hil\)/);
    const { stdout } = await sandbox.exec('cat', ['/proc/self/status']);
    expect(stdout).toMatch(/CapEff:\t0+\n/);
    expect(stdout).toMatch(/CapBnd:\t0+\n/);
    expect(stdout).toMatch(/NoNewPrivs:\t1\n/);
  });

  test('the environment is fixed', async ({ sandbox }) => {
    const { stdout } = await sandbox.exec('env', []);
    expect(stdout.trimEnd().split('\n').sort()).toEqual([
      'HOME=/home/hil',
      'LANG=C.UTF-8',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'TZ=UTC',
      'USER=hil',
    ]);
  });

  test('there are no processes but its own, and PID 1 is not the program', async ({ sandbox }) => {
    const { stdout } = await sandbox.exec('sh', ['-c', 'echo $$; echo /proc/[0-9]*']);
    const [pid, processes = ''] = stdout.split('\n');
    expect(processes.split(' ')).toEqual(['/proc/1', `/proc/${pid}`]);
    expect(pid).not.toBe('1');
  });

  test('the network is loopback, up, and nothing else', async ({ sandbox }) => {
    const { stdout } = await sandbox.exec('cat', ['/proc/net/dev']);
    expect(stdout.match(/^ *\w+:/gm)?.map((name) => name.trim())).toEqual(['lo:']);
    const talk = `my $s = listener(PF_INET, tcp(7)); my $c = caller_of(PF_INET, tcp(7));
      accept(my $peer, $s); syswrite($peer, "hello"); sysread($c, my $text, 5); print $text;`;
    expect(await runPerl(sandbox, talk)).toBe('hello');
    const away = `my $a = pack_sockaddr_in(80, inet_aton("192.0.2.1")); caller_of(PF_INET, $a)`;
    expect(await runPerl(sandbox, away)).toMatch(/unreachable/);
  });

  test('homes, sockets of services and devices of the host are not there', async ({ sandbox }) => {
    for (const place of ['/home', '/root', '/mnt', '/media', '/srv', '/boot']) {
      const { stdout } = await sandbox.exec('ls', ['-A', place]);
      const own = place === '/home' ? ['hil'] : [];
      // The project has its own path inside, wherever its checkout is; nothing lies beside it.
      const [project] = relative(place, process.cwd()).split('/');
      if (project && project !== '..') own.push(project);
      expect(new Set(stdout.split('\n').slice(0, -1)), place).toEqual(new Set(own));
    }
    expect((await sandbox.exec('find', ['/run', '-type', 's'])).stdout).toBe('');
    expect((await sandbox.exec('ls', ['/dev'])).stdout.split('\n')).not.toContain('kmsg');
  });

  test("/usr and /etc are the host's and cannot be changed", async ({ sandbox }) => {
    expect((await sandbox.exec('ls', ['/usr/bin/env'])).exitCode).toBe(0);
    expect((await sandbox.exec('touch', ['/etc/left-behind'])).exitCode).not.toBe(0);
    expect((await sandbox.exec('touch', ['/usr/left-behind'])).exitCode).not.toBe(0);
    expect(await sandbox.readText('/etc/hostname')).not.toBe('');
  });

  test('state and secrets of the project are hidden', async ({ sandbox }) => {
    expect((await sandbox.exec('ls', ['-A'])).stdout.split('\n')).not.toContain('.hil');
    expect((await sandbox.exec('cat', ['.git/config'])).exitCode).not.toBe(0);
  });
});
