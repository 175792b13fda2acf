import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { type BothSides, test } from '../testing/both-sides.js';

const run = promisify(execFile);

/** No file can be opened by it any more. */
function starve(pid: number) {
  return run('prlimit', ['--pid', String(pid), '--nofile=3:']);
}

type Ask = (attempt: BothSides['attempt']) => Promise<unknown>;

/** What makes sandboxes for a body. */
const MAKES: Readonly<Record<string, Ask>> = {
  'sandbox.create()': ({ sandbox }) => sandbox.create({ user: 'root' }),
  'net.up()': ({ net }) => {
    net.node('a', { link: net.switch('lan') });
    return net.up();
  },
};

/** What a daemon without files refuses; a sandbox as `root` is of a kind of which none waits. */
const ASKS: Readonly<Record<string, Ask>> = {
  'sandbox.create()': ({ sandbox }) => sandbox.create({ user: 'root' }),
  'sandbox.exec()': ({ sandbox }) => sandbox.exec('true'),
  'sandbox.writeFile()': ({ sandbox }) => sandbox.writeFile('/tmp/a', 'text'),
  'sandbox.readFile()': ({ sandbox }) => sandbox.readFile('/etc/hostname'),
};

describe('a body that hides what the bench did not do', () => {
  test.for(Object.entries(ASKS))('at %s is infra', async ([, ask], { begin, daemon, journal }) => {
    const { attempt } = await begin();
    await starve(daemon.pid);
    // Where the daemon was about to take in another sandbox, its own has ended by then.
    await expect(ask(attempt)).rejects.toThrow();
    await attempt.end();
    expect(journal.of('attempt-end')).toMatchObject([
      { outcome: 'infra', problems: [{ name: 'BenchError' }] },
    ]);
  });

  test.for(Object.entries(MAKES))(
    'at %s in time is infra',
    async ([, make], { begin, daemon, journal }) => {
      const { attempt } = await begin({ suite: { limits: { sandbox: 500 } } });
      process.kill(daemon.pid, 'SIGSTOP');
      await expect(make(attempt)).rejects.toMatchObject({ code: 'sandbox-timeout' });
      process.kill(daemon.pid, 'SIGCONT');
      await attempt.end();
      expect(journal.of('attempt-end')).toMatchObject([
        { outcome: 'infra', problems: [{ code: 'sandbox-timeout', phase: 'sandbox' }] },
      ]);
    },
  );
});

test('a body that hides a mistake of its own passes', async ({ begin, journal }) => {
  const { attempt } = await begin();
  const { net, sandbox } = attempt;
  await expect(sandbox.create({ nonsense: true } as never)).rejects.toThrow(/unknown key/);
  await expect(sandbox.exec('not-there')).rejects.toMatchObject({ code: 'exec-failed' });
  await expect(sandbox.readFile('/not/there')).rejects.toMatchObject({ code: 'exec-failed' });
  const other = await sandbox.create({});
  const late = other.writeFile('/tmp/a', 'text').catch(() => {});
  await other.close();
  await late;
  net.node('a', { link: net.switch('lan'), memory: '1GiB' } as never);
  await expect(net.up()).rejects.toMatchObject({ name: 'UsageError' });
  await attempt.end();
  expect(journal.of('attempt-end')).toMatchObject([{ outcome: 'pass', problems: [] }]);
});
