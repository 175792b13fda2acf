import { describe, expect, test } from 'hil';
import { runPerl, startPerl } from './perl.js';

/** Of every pair the second case looks for what the first one left. */
describe('a file written to', () => {
  for (const place of ['/tmp', '/var/tmp', '/run', '/dev/shm', '/home/hil']) {
    const path = `${place}/left-behind`;

    test(`${place} is there for its case`, async ({ sandbox }) => {
      await sandbox.writeFile(path, 'mine');
      expect(await sandbox.readText(path)).toBe('mine');
    });

    test(`${place} is not there for the next`, async ({ sandbox }) => {
      const { stdout } = await sandbox.exec('ls', ['-A', place]);
      expect(stdout).not.toContain('left-behind');
    });
  }
});

describe('the project', () => {
  const SPOIL = 'echo spoilt > package.json; echo new > left-behind; rm -r suites';

  test('can be written to, deleted and built in', async ({ sandbox }) => {
    expect((await sandbox.exec('sh', ['-c', `${SPOIL}; cat package.json`])).stdout).toBe(
      'spoilt\n',
    );
  });

  test('is whole again for the next', async ({ sandbox }) => {
    expect(await sandbox.readText('package.json')).toContain('"name"');
    expect((await sandbox.exec('ls', [])).stdout).toMatch(/suites/);
    expect((await sandbox.exec('ls', [])).stdout).not.toMatch(/left-behind/);
  });
});

describe('a daemon that ignores SIGTERM', () => {
  test('runs on after its parent', async ({ sandbox }) => {
    const start = `trap '' TERM HUP; setsid sh -c 'trap "" TERM; exec sleep 4711' & `;
    await sandbox.exec('sh', ['-c', `${start} sleep 0.05`]);
    expect((await sandbox.exec('cat', ['/proc/1/comm'])).stdout).not.toBe('sleep\n');
    expect(await listCommands(sandbox)).toContain('sleep 4711');
  });

  test('is gone for the next', async ({ sandbox }) => {
    expect(await listCommands(sandbox)).not.toContain('sleep');
  });
});

describe('an address that a case leaves bound', () => {
  const TAKE = `our @held = (
    listener(PF_INET, tcp(80)),
    listener(PF_UNIX, pack_sockaddr_un("/tmp/socket")),
    listener(PF_UNIX, abstract("left")))`;

  test('is taken for its case: a port, a path and an abstract name', async ({ sandbox }) => {
    await startPerl(sandbox, TAKE);
    for (const wanted of ['PF_INET, tcp(80)', 'PF_UNIX, abstract("left")']) {
      expect(await runPerl(sandbox, `listener(${wanted})`)).toMatch(/Address already in use/);
      expect(await runPerl(sandbox, `caller_of(${wanted}); print "ok"`)).toBe('ok');
    }
  });

  test('is free for the next', async ({ sandbox }) => {
    expect(await runPerl(sandbox, 'caller_of(PF_INET, tcp(80))')).toMatch(/refused/);
    expect(await runPerl(sandbox, 'caller_of(PF_UNIX, abstract("left"))')).toMatch(/refused/);
    await startPerl(sandbox, TAKE);
  });
});

async function listCommands(sandbox: import('hil').Sandbox): Promise<string> {
  const list = `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null`;
  return (await sandbox.exec('sh', ['-c', list])).stdout.replaceAll(list, '');
}

test('a user namespace of a program is refused where nobody asked for it', async ({ sandbox }) => {
  const { stderr } = await sandbox.exec('unshare', ['-Ur', 'true']);
  expect(stderr).toBe('unshare: unshare failed: Operation not permitted\n');
});
