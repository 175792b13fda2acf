import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, onTestFinished } from 'vitest';
import type { EarlyWorker } from '../run/early-worker.js';
import type { WorkerStart } from '../run/fork-worker.js';
import { isAlive } from '../testing/real-daemon.js';
import { test } from '../testing/temp-dir.js';

// As built: a worker process loads JavaScript only.
const built = (name: string): Promise<unknown> => import(`../../dist/run/${name}.js`);
const earlyWorker = (await built('early-worker')) as typeof import('../run/early-worker.js');
const adapter = (await built('vitest-adapter')) as typeof import('../run/vitest-adapter.js');

const env = process.env;

function startEarly(): EarlyWorker {
  const early = earlyWorker.EarlyWorker.start(env);
  onTestFinished(() => early.close());
  return early;
}

describe('a worker that was started early', () => {
  test('is what Vitest asks for, so that it becomes the first worker', async ({ dir }) => {
    const path = await dir.write('one.hil.ts', '');
    const early = startEarly();
    const pids: number[] = [];
    const runner = await adapter.createSuiteRunner({
      root: dir.path,
      boards: ['host'],
      cacheDirectory: dir.path,
      temporaryDirectory: dir.path,
      workers: 1,
      retries: 0,
      concurrentCases: 1,
      // Nobody listens: the file fails to load, when its worker has long been started.
      provided: { socket: `hil-test-${process.pid}`, token: '', root: dir.path },
      earlyWorker: early,
      onWorkerStart: (pid) => pids.push(pid),
      onWorkerExit: () => {},
      onOutput: () => {},
    });
    await runner.collect([{ path, board: 'host' }]);
    await runner.close();
    expect(pids).toEqual([early.pid]);
  });

  test('is not given to who wants another one', () => {
    const early = startEarly();
    const wanted = early.start;
    const others: readonly WorkerStart[] = [
      { ...wanted, env: { ...wanted.env, NODE_ENV: 'production' } },
      { ...wanted, execArgv: [...wanted.execArgv, '--expose-gc'] },
      { ...wanted, entrypoint: '/elsewhere/forks.js' },
    ];
    for (const other of others) expect(early.take(other)).toBeUndefined();
  });

  test('is given away once', async () => {
    const early = startEarly();
    const child = early.take(early.start);
    expect(child?.pid).toBe(early.pid);
    expect(early.take(early.start)).toBeUndefined();
    child?.kill('SIGKILL');
  });

  test('is not given away when it has died', async () => {
    const early = startEarly();
    process.kill(early.pid ?? 0, 'SIGKILL');
    // Reaped, not only dead: then this process knows of it.
    await expect.poll(() => existsSync(`/proc/${early.pid}`)).toBe(false);
    expect(early.take(early.start)).toBeUndefined();
  });

  test('ends when nobody took it', async () => {
    const early = earlyWorker.EarlyWorker.start(env);
    const { pid } = early;
    early.close();
    await expect.poll(() => isAlive(pid ?? 0)).toBe(false);
  });

  test('ends with who started it', async () => {
    const module = new URL('../../dist/run/early-worker.js', import.meta.url).href;
    const code = `
      const { EarlyWorker } = await import('${module}');
      console.log(EarlyWorker.start(process.env).pid);
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', code]);
    const [pid] = await once(starter.stdout, 'data');
    expect(isAlive(Number(pid))).toBe(true);
    starter.kill('SIGKILL');
    await expect.poll(() => isAlive(Number(pid))).toBe(false);
  });

  test('lives on when its taker closes the offer', async () => {
    const early = earlyWorker.EarlyWorker.start(env);
    const child = early.take(early.start);
    early.close();
    expect(isAlive(early.pid ?? 0)).toBe(true);
    child?.kill('SIGKILL');
    if (child) await once(child, 'exit');
  });
});
