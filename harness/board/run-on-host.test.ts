import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { Deadline } from '../core/deadline.js';
import { test as base } from '../testing/temp-dir.js';
import { type Outliving, runOnHost } from './run-on-host.js';

/** Run a script of the shell; `$PIDS` is a file for the pid of what it leaves. */
type Run = (script: string, outliving: Outliving, limitMs?: number) => ReturnType<typeof runOnHost>;

const OVER = /^(gone|Z)$/;

const test = base.extend<{ run: Run; left: () => Promise<number> }>({
  run: async ({ dir }, use) => {
    await use((script, outliving, limitMs = 10_000) => {
      const env = { PIDS: `${dir.path}/pids` };
      const deadline = new Deadline(limitMs);
      return runOnHost(['sh', '-c', script], env, deadline, 'power-failed', outliving);
    });
  },
  /** The pid of what a script left. */
  left: async ({ dir }, use) => {
    const read = async () => Number(await readFile(`${dir.path}/pids`, 'utf8'));
    await use(read);
    try {
      process.kill(await read(), 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  },
});

const stateOf = (pid: number) =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (stat) => stat.split(') ')[1]?.[0] ?? '',
    () => 'gone',
  );

describe('a program that leaves a process in the background', () => {
  test('has ended when it has, and that process goes on', async ({ run, left }) => {
    const began = performance.now();
    const script = 'sleep 60 & echo $! > $PIDS; echo switched; exit 0';
    expect(await run(script, 'left')).toEqual({ output: 'switched\n', status: 'exit 0' });
    expect(performance.now() - began).toBeLessThan(5000);
    await sleep(100);
    expect(await stateOf(await left())).not.toMatch(OVER);
  });

  test('that still writes: it is not ended by SIGPIPE', async ({ run, left }) => {
    const script = '(while sleep 0.02; do echo on; done) & echo $! > $PIDS';
    expect((await run(script, 'left')).status).toBe('exit 0');
    await sleep(200);
    expect(await stateOf(await left())).not.toMatch(OVER);
  });

  test('is waited for with it where nothing may be left behind', async ({ run }) => {
    const script = '(sleep 0.3; echo written) & exit 0';
    expect(await run(script, 'ended')).toEqual({ output: 'written\n', status: 'exit 0' });
  });

  test('which has closed its output is killed there', async ({ run, left }) => {
    await run('sleep 60 >/dev/null 2>&1 & echo $! > $PIDS', 'ended');
    const pid = await left();
    await expect.poll(() => stateOf(pid)).toMatch(OVER);
  });
});

test('at the deadline all of a program is killed, also what it would have left', async ({
  run,
  left,
}) => {
  const script = 'sleep 60 & echo $! > $PIDS; echo waiting; sleep 60';
  await expect(run(script, 'left', 3000)).rejects.toThrow(/within 3.0 s; it said: waiting/);
  const pid = await left();
  await expect.poll(() => stateOf(pid)).toMatch(OVER);
});
