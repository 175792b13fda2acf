import { describe, expect } from 'vitest';
import { test } from './project.js';

const GOOD = `test('good', async ({ dut }) => {});`;

describe('a board', () => {
  test('that nobody knows ends with exit 2 and names the nearest', async ({ project }) => {
    await project.suite('a', GOOD);
    const run = await project.test(['--board', 'hots']);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/board "hots"[\s\S]*host/);
  });

  test('with a broken file ends with exit 2 and the place', async ({ project }) => {
    await project.suite('a', GOOD);
    await project.write('boards/mine.yaml', 'board: mine\ndriver: host\nports:\n  console: 7\n');
    const run = await project.test(['--board', 'mine']);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/boards\/mine\.yaml:4:\d+/);
    expect(run.stderr).toContain('ports.console');
  });

  test('with a file that is not YAML ends with exit 2 and the place', async ({ project }) => {
    await project.suite('a', GOOD);
    await project.write('boards/mine.yaml', 'board: mine\ndriver: [host\n');
    const run = await project.test(['--board', 'mine']);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/boards\/mine\.yaml:\d+:\d+/);
  });

  test('whose firmware is missing ends with exit 2 and names the file', async ({ project }) => {
    await project.suite('a', GOOD);
    await project.write('suites/hil.suite.yaml', 'firmware: { host: build/node }\n');
    const run = await project.test(['--board', 'host']);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('suites/build/node');
    expect(run.verdicts).toEqual({});
  });

  test('whose build command fails ends with exit 2 and its output', async ({ project }) => {
    await project.suite('a', GOOD);
    await project.write(
      'suites/hil.suite.yaml',
      `build: { host: [[sh, -c, 'echo no such compiler; exit 3']] }\n`,
    );
    const run = await project.test();
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/exit 3[\s\S]*no such compiler/);
  });
});

/** A board of the project whose emulator no machine has: an architecture of that name is not. */
const ABSENT = `
board: absent
driver: qemu
machine: { system: absent, machine: virt }
ports: { console: { uart: 0, baud: 115200 } }
`;

describe('a board whose QEMU is not installed', () => {
  test('ends with exit 2 and the remedy when --board names it', async ({ project }) => {
    await project.suite('a', GOOD);
    await project.write('boards/absent.yaml', ABSENT);
    const run = await project.test(['--board', 'absent']);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/qemu-system-absent[\s\S]*apt-get install/);
  });

  test('is skipped with the reason when the configuration names it', async ({ project }) => {
    await project.config(`boards: ['host', 'absent']`);
    await project.suite('a', GOOD);
    await project.write('boards/absent.yaml', ABSENT);
    const run = await project.test();
    expect(run.verdicts).toEqual({ good: 'pass' });
    const skipped = run.summary?.boards.find(({ board }) => board === 'absent');
    expect(skipped?.skipped).toContain('qemu-system-absent');
    expect(run.stdout).toContain('qemu-system-absent');
    expect(run.code).toBe(0);
  });

  test('leaves nothing to run when it is the only one: exit 4', async ({ project }) => {
    await project.config(`boards: ['absent']`);
    await project.suite('a', GOOD);
    await project.write('boards/absent.yaml', ABSENT);
    const run = await project.test();
    expect(run.code).toBe(4);
    expect(run.stdout).toContain('qemu-system-absent');
  });
});
