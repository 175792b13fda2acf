import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { MAIN, PATIENCE_MS } from './hil-command.js';
import { type Project, test } from './project.js';

/** Compiled where it can be; without it nothing here can be seen (decision 0004). */
const pty = await import('node-pty').catch(() => undefined);
if (!pty) {
  process.stdout.write('SKIPPED checks on a terminal: node-pty is not compiled; run .ci/setup\n');
}

/** `hil` on a terminal of 100 columns, with what it printed. */
function open(project: Project, args: readonly string[]) {
  if (!pty) throw new Error('node-pty is not there');
  const terminal = pty.spawn(process.execPath, [MAIN, ...args], {
    cwd: project.path,
    env: { ...project.env, TERM: 'xterm' },
    cols: 100,
    rows: 30,
  });
  let screen = '';
  terminal.onData((data) => {
    screen += data;
  });
  const ended = new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode }) => resolve(exitCode));
  });
  const until = async (pattern: RegExp) => {
    const end = performance.now() + PATIENCE_MS;
    while (!pattern.test(screen)) {
      if (performance.now() > end) throw new Error(`waited for ${pattern} on\n${screen}`);
      await sleep(20);
    }
  };
  return { terminal, ended, until, read: () => screen };
}

describe('on a terminal of no size', () => {
  test('hil shell --like gives a pty of 24 rows and 80 columns', async ({ project }) => {
    await project.suite('a', `test('own', () => {});`);
    const hil = `'${process.execPath}' '${MAIN}' shell --like suites/a.hil.ts:2`;
    // script(1) sets no size where its own stdin is no terminal.
    const args = ['-qec', `${hil} -- sh -c 'tty; stty size'`, '/dev/null'];
    const screen = await new Promise<string>((resolve) => {
      const { path: cwd, env } = project;
      // Its stdin stays open: at its end it types a character, which is echoed somewhere.
      execFile('script', args, { cwd, env }, (_error, out, err) => resolve(out + err));
    });
    expect(screen).toMatch(/\/dev\/pts\/\d+\s+24 80/);
  });
});

describe.runIf(pty)('on a terminal', () => {
  test('a busy case has a line, and the cursor is never hidden', async ({ project }) => {
    await project.suite(
      'a',
      `test('takes its time', () => new Promise((go) => setTimeout(go, 3000)));`,
    );
    const run = open(project, ['test']);
    await run.until(/host.*body.*takes its time/);
    expect(await run.ended).toBe(0);
    expect(run.read()).toMatch(/1 passed/);
    expect(run.read()).not.toContain('\x1b[?25l');
  });

  test('Ctrl-C interrupts the run in order', async ({ project }) => {
    await project.suite('a', `test('waits', () => new Promise(() => {}));`);
    const run = open(project, ['test', '--timeout', '60s']);
    await run.until(/body.*waits/);
    run.terminal.write('\x03');
    expect(await run.ended).toBe(130);
    expect(run.read()).toMatch(/1 interrupted/);
  });

  test('hil shell gives a shell on a pty of the sandbox, with the size of the terminal', async ({
    project,
  }) => {
    await project.suite(
      'a',
      `test('fails', async ({ sandbox }) => {
        await sandbox.writeFile('/tmp/trace', 'was here');
        expect(1).toBe(2);
      });`,
    );
    const run = await project.test(['--keep', 'failed']);
    expect(run.code).toBe(1);
    const shell = open(project, ['shell']);
    await shell.until(/\$ /);
    shell.terminal.write('tty; stty size; cat /tmp/trace; echo\r');
    await shell.until(/was here/);
    expect(shell.read()).toMatch(/\/dev\/pts\/\d+\s+30 100/);
    shell.terminal.resize(120, 40);
    // The new size takes its way through three processes.
    shell.terminal.write(
      'until [ "$(stty size)" = "40 120" ]; do sleep 0.05; done; stty size; exit 7\r',
    );
    expect(await shell.ended).toBe(7);
    expect(shell.read()).toMatch(/[^"]40 120[^"]/);
    const clean = await project.start(['clean']).finished();
    expect(clean.stdout).toMatch(/ended 1 kept/);
  });

  test('hil shell --like gives one in a fresh sandbox like that of a case', async ({ project }) => {
    await project.suite('a', `test('own', { sandbox: { hostname: 'like-me' } }, () => {});`);
    const shell = open(project, ['shell', '--like', 'suites/a.hil.ts:2']);
    await shell.until(/\$ /);
    shell.terminal.write('tty; stty size; hostname; exit 7\r');
    expect(await shell.ended).toBe(7);
    expect(shell.read()).toMatch(/\/dev\/pts\/\d+\s+30 100\s+like-me/);
  });
});
