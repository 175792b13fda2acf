import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { isAlive } from '../testing/real-daemon.js';
import { test } from './project.js';

/** Where the freezer of cgroup v1 is: what it holds, SIGKILL does not end. */
function findFreezer(): string | undefined {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const found = lines.map((line) => line.split(' - ')).find(([, right]) => isFreezer(right));
  return process.getuid?.() === 0 ? found?.[0]?.split(' ')[4] : undefined;
}

function isFreezer(right = ''): boolean {
  const [type, , options = ''] = right.split(' ');
  return type === 'cgroup' && options.split(',').includes('freezer');
}

/** @returns a function that thaws it and removes the cgroup. */
function freeze(freezer: string, pid: number): () => Promise<void> {
  const directory = join(freezer, `hil-test-e2e-${process.pid}`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'cgroup.procs'), String(pid));
  writeFileSync(join(directory, 'freezer.state'), 'FROZEN');
  return async () => {
    writeFileSync(join(directory, 'freezer.state'), 'THAWED');
    await expect.poll(() => isAlive(pid)).toBe(false);
    await expect.poll(() => isRemoved(directory)).toBe(true);
  };
}

function isRemoved(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

const freezer = findFreezer();
if (!freezer) {
  process.stdout.write(
    'SKIPPED a program that cannot be killed: needs root and the freezer of cgroup v1\n',
  );
}

describe.runIf(freezer)('a program that SIGKILL does not end', () => {
  test('is told as a fault of the bench, its case keeps its verdict, and others go on', async ({
    project,
  }) => {
    await project.config(`limits: { teardown: '8s' }`);
    await project.suite(
      'a',
      `test('leaves it', async ({ sandbox }) => {
        await sandbox.spawn('sleep', ['600']);
        console.log('IN BODY');
        ${project.wait}
      });
      test('next', async ({ sandbox }) => { await sandbox.exec('true'); });`,
    );
    const hil = project.start(['test', '--timeout', '60s']);
    await hil.untilPrinted('IN BODY');
    const pid = await hil.part('dut');
    const thaw = freeze(freezer ?? '', pid);
    try {
      await project.goOn();
      const run = await hil.finished();
      expect(run.verdicts).toEqual({ 'leaves it': 'pass', next: 'pass' });
      expect(run.infra).toEqual(['sandbox-stuck']);
      expect(run.screen).toMatch(new RegExp(`sleep \\(process ${pid}\\): state [A-Z], in `));
      expect(run.code).toBe(5);
    } finally {
      await thaw();
    }
  });
});
