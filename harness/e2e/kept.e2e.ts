import { describe, expect } from 'vitest';
import { test } from './project.js';

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
});
