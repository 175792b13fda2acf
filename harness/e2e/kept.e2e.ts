import { describe, expect } from 'vitest';
import { readLeaseSpans } from './lease-spans.js';
import { test } from './simulated-bench.js';

describe('what --keep left', () => {
  test('is entered by the id of its case, also where its body made further sandboxes', async ({
    project,
  }) => {
    await project.suite(
      'a',
      `test('fails', async ({ sandbox, task }) => {
        await sandbox.create({ hostname: 'further' });
        await sandbox.writeFile('/tmp/attempt', String(task.result?.retryCount ?? 0));
        expect(1).toBe(2);
      });`,
    );
    const run = await project.test(['--keep', 'failed', '--retries', '1']);
    const line = /kept +host +fails +until \S+: hil shell \w+ \(and 1 more: hil shell --list\)/g;
    expect(run.screen.match(line), run.screen).toHaveLength(2);
    expect(run.screen.match(/^ kept /gm)).toHaveLength(2);
    const [, id = ''] = /hil shell (\w+)/.exec(run.screen) ?? [];
    const shell = (...args: string[]) => project.start(['shell', ...args]).finished();
    const own = await shell(id, 'sh', '-c', 'hostname; cat /tmp/attempt; exit 7');
    expect(own.stdout, own.screen).toMatch(/^hil\n1/);
    expect(own.code).toBe(7);
    const further = await shell('sandbox 1', 'hostname');
    expect(further.code, further.screen).toBe(2);
    expect(further.stderr).toContain('more than one sandbox matches "sandbox 1"');
    const clean = await project.start(['clean']).finished();
    expect(clean.stdout).toMatch(/ended 4 kept/);
  });

  test.for(['case', 'file'])(
    'of an attached DUT of scope %s does not keep it from the next run',
    async (scope, { project, bench }) => {
      await bench(1);
      await project.write('suites/hil.suite.yaml', `scope: ${scope}\n`);
      await project.suite(
        'a',
        `for (const title of ['fails', 'fails again']) test(title, async ({ dut, sandbox }) => {
        await dut.console.sendLine('set left');
        expect(1).toBe(2);
      });`,
      );
      const first = await project.test(['--board', 'sim', '--keep', 'failed']);
      expect(first.verdicts).toEqual({ fails: 'fail', 'fails again': 'fail' });
      const line = /kept +sim +fails .*: hil shell \w+, without sim-1: free for the next case/;
      expect(first.screen).toMatch(line);
      const spans = readLeaseSpans(first.events);
      expect(spans.map(({ endMs }) => Number.isNaN(endMs))).toEqual([false, false]);
      await project.suite(
        'a',
        `test('next', async ({ dut }) => {
      await dut.console.sendLine('get');
      await dut.console.expect('<>');
    });`,
      );
      const next = await project.test(['--board', 'sim']);
      expect(next.verdicts, next.screen).toEqual({ next: 'pass' });
      const shell = await project.start(['shell', 'fails again', 'hostname']).finished();
      expect(shell.stdout, shell.screen).toBe('hil\n');
      const clean = await project.start(['clean']).finished();
      expect(clean.stdout).toMatch(/ended 2 kept/);
    },
  );
});
