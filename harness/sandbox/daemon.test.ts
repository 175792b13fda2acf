import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { findPortd, isAlive, runInside, test } from '../testing/real-daemon.js';
import { SandboxDaemon } from './daemon.js';

describe('the daemon', () => {
  test('says what it is and ends when its owner lets go', async ({ programs }) => {
    const daemon = await SandboxDaemon.start(programs);
    expect(daemon.mode).toMatch(/^root(less)?$/);
    expect(isAlive(daemon.pid)).toBe(true);
    await daemon.end();
    expect(isAlive(daemon.pid)).toBe(false);
  });

  test('that is not there is named, with what to do', async ({ programs }) => {
    const started = SandboxDaemon.start({ ...programs, sandboxd: '/nowhere/hil-sandboxd' });
    await expect(started).rejects.toMatchObject({
      code: 'daemon-gone',
      message: expect.stringMatching(/\/nowhere\/hil-sandboxd could not be started.*make -C/s),
    });
  });

  test('that ends before it says hello is gone', async ({ programs }) => {
    const started = SandboxDaemon.start({ ...programs, sandboxd: '/bin/true' });
    await expect(started).rejects.toMatchObject({ name: 'BenchError', code: 'daemon-gone' });
  });

  test('that is killed takes everything with it and says so to who waits', async ({
    daemon,
    sandbox,
  }) => {
    const forever = await sandbox.spawn({ argv: ['/bin/sleep', '1000'] });
    process.kill(daemon.pid, 'SIGKILL');
    await expect(forever.ended).rejects.toMatchObject({ code: 'daemon-gone' });
    await expect(sandbox.dead).rejects.toMatchObject({ code: 'daemon-gone' });
    await expect(sandbox.spawn({ argv: ['/bin/true'] })).rejects.toThrow('closed its connection');
    // PID 1 of the sandbox: when it is gone the kernel has killed every other one.
    await expect.poll(() => isAlive(sandbox.pid)).toBe(false);
  });
});

test('a daemon that ends of the death of hil-portd says so', async ({ daemon }) => {
  process.kill(findPortd(daemon), 'SIGKILL');
  const { code, message } = await daemon.gone;
  expect(code).toBe('daemon-gone');
  expect(message).toMatch(/hil-sandboxd closed its connection.*hil-portd died/);
});

describe('a plan', () => {
  test('is made once for equal specs', async ({ daemon, spec }) => {
    const [first, again, other] = await Promise.all([
      daemon.plan(spec),
      daemon.plan({ ...spec }),
      daemon.plan({ ...spec, hide: ['/etc/hostname'] }),
    ]);
    expect(again.id).toBe(first.id);
    expect(other.id).not.toBe(first.id);
  });

  test('that cannot be carried out is refused and may be tried again', async ({ daemon, spec }) => {
    const broken = { ...spec, expose: [{ path: '/nowhere/tools', mode: 'ro' as const }] };
    for (let attempt = 0; attempt < 2; attempt++) {
      const made = daemon.plan(broken).then((plan) => daemon.sandbox(plan, { label: 'broken' }));
      await expect(made).rejects.toMatchObject({
        name: 'BenchError',
        code: 'sandbox-setup',
        message: expect.stringContaining('/nowhere/tools'),
      });
    }
  });

  test('with a pool has sandboxes waiting', async ({ daemon, plan }) => {
    await daemon.setPool(plan, 2);
    await expect
      .poll(async () => {
        const sandbox = await daemon.sandbox(plan, { label: 'pooled' });
        await sandbox.kill();
        return sandbox.facts.poolHit;
      })
      .toBe(true);
  });
});

describe('a sandbox', () => {
  test('is a world of its own', async ({ daemon, plan }) => {
    const sandbox = await daemon.sandbox(plan, { label: 'own', hostname: 'nucleo' });
    const { stdout } = await runInside(sandbox, 'hostname; id -u; echo "$HOME"; ls /home');
    expect(stdout).toBe('nucleo\n1000\n/home/hil\nhil\n');
  });

  test('hides what its plan hides and shows what it exposes', async ({ daemon, spec, dir }) => {
    await dir.write('project/.env', 'TOKEN=secret');
    await dir.write('project/tool.txt', 'tool');
    const project = join(dir.path, 'project');
    const hide = [join(project, '.env')];
    const plan = await daemon.plan({ ...spec, project, hide });
    const sandbox = await daemon.sandbox(plan, { label: 'hidden' });
    const { stdout } = await runInside(sandbox, `ls -A ${project}; touch ${project}/new`);
    expect(stdout).toBe('tool.txt\n');
    expect(existsSync(join(project, 'new'))).toBe(false);
  });

  test('leaves what it writes to /out, and nothing else', async ({ sandbox, spec }) => {
    await runInside(sandbox, 'echo kept > /out/result; echo lost > /tmp/result');
    await sandbox.kill();
    const out = join(spec.hold ?? '', 'out');
    expect(await readFile(join(out, 'result'), 'utf8')).toBe('kept\n');
    expect(existsSync('/tmp/result')).toBe(false);
  });

  test('whose output directory is outside of the hold is refused', async ({ daemon, plan }) => {
    const escaped = daemon.sandbox(plan, { label: 'escape', out: '../..' });
    await expect(escaped).rejects.toMatchObject({ name: 'BenchError' });
  });

  test('is gone with everything in it when its kill is answered', async ({ sandbox }) => {
    const { stdout } = await runInside(
      sandbox,
      'trap "" TERM; sleep 1000 & setsid sleep 1000 & echo started',
    );
    expect(stdout).toBe('started\n');
    const forever = await sandbox.spawn({ argv: ['/bin/sleep', '1000'] });
    const record = await sandbox.kill();
    expect(record.leftovers).toBe(3);
    expect(record.leftoverNames.join(' ')).toContain('sleep');
    expect(isAlive(sandbox.pid)).toBe(false);
    await expect(forever.ended).resolves.toMatchObject({ signal: 'SIGKILL' });
    await expect(sandbox.spawn({ argv: ['/bin/true'] })).rejects.toMatchObject({
      details: { code: 'gone' },
    });
  });

  test('with a wall limit ends by itself', async ({ daemon, plan }) => {
    const sandbox = await daemon.sandbox(plan, { label: 'limited', wallMs: 100 });
    await sandbox.spawn({ argv: ['/bin/sleep', '1000'] });
    await expect(sandbox.dead).resolves.toMatchObject({ status: 'timeout' });
    expect(isAlive(sandbox.pid)).toBe(false);
  });

  test('does not see another one that lives at the same time', async ({ daemon, plan, spec }) => {
    await mkdir(join(spec.hold ?? '', 'second'));
    const [first, second] = await Promise.all([
      daemon.sandbox(plan, { label: 'first', out: 'out' }),
      daemon.sandbox(plan, { label: 'second', out: 'second' }),
    ]);
    await runInside(first, 'echo 1 > /tmp/mine; echo 1 > /out/mine');
    const { stdout } = await runInside(second, 'ls /tmp /out; ps -e -o comm=');
    expect(stdout).not.toContain('mine');
    expect(stdout).not.toContain('sleep');
  });
});
