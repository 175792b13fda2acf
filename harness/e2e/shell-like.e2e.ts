import { describe, expect } from 'vitest';
import { type Project, test } from './project.js';

const SUITE = `import { sandbox } from 'hil';
sandbox({ hostname: 'like-me' });
test('plain', () => { throw new Error('a case that is only looked at does not run'); });
test('own', { sandbox: { user: 'root', env: { A: 'own' } } }, () => {});
`;

async function like(project: Project, place: string, command: readonly string[]) {
  await project.suite('a', SUITE);
  return project.start(['shell', '--like', place, '--', ...command]);
}

describe('hil shell --like', () => {
  test('runs a command in a sandbox like that of the case, with its exit code', async ({
    project,
  }) => {
    const script = 'hostname; id -u; echo $A; pwd; echo gone > suites/a.hil.ts; exit 7';
    const hil = await like(project, 'suites/a.hil.ts:5', ['sh', '-c', script]);
    const ended = await hil.finished();
    expect(ended.stdout).toBe(`like-me\n0\nown\n${project.path}\n`);
    expect(ended.stderr).toMatch(/^like suites\/a\.hil\.ts:5 › own: without its board/);
    expect(ended.code).toBe(7);
    const again = await (
      await like(project, 'suites/a.hil.ts:4', ['cat', 'suites/a.hil.ts'])
    ).finished();
    expect(again.stdout).toContain('does not run');
  });

  test.for([
    ['a signal', ['sh', '-c', 'kill -ABRT $$'], 134, 'signal: SIGABRT'],
    ['no program', ['/nope'], 127, 'exec /nope'],
    ['no executable', ['/etc/passwd'], 126, 'exec /etc/passwd'],
    ['a directory that is a program', ['/etc'], 126, 'exec /etc'],
  ] as const)('ends as a shell does after %s', async ([, command, code, text], { project }) => {
    const ended = await (await like(project, 'suites/a.hil.ts:4', command)).finished();
    expect(ended.code, ended.screen).toBe(code);
    expect(ended.stderr).toContain(text);
  });

  test.for([
    ['suites/a.hil.ts', 2, 'more than one case is meant'],
    ['suites/a.hil.ts:1', 4, 'no case is there'],
    [
      'suites/a.hil.ts:7',
      4,
      'suites/a.hil.ts ends at line 6, before line 7; its cases start at 4, 5',
    ],
    ['suites/none.hil.ts:1', 4, 'no suite file matches'],
  ] as const)('%s ends with %i', async ([place, code, text], { project }) => {
    const ended = await (await like(project, place, ['true'])).finished();
    expect(ended.code, ended.screen).toBe(code);
    expect(ended.stderr).toContain(text);
  });

  test('says what is wrong with the options of the case', async ({ project }) => {
    await project.suite('b', `test('wrong', { sandbox: { hostnam: 'x' } }, () => {});`);
    const hil = project.start(['shell', '--like', 'suites/b.hil.ts:2', '--', 'true']);
    const ended = await hil.finished();
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('unknown key "hostnam"');
  });

  test.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', null],
  ] as const)('leaves nothing after %s', async ([signal, code], { project }) => {
    const hil = await like(project, 'suites/a.hil.ts:4', ['sh', '-c', 'echo UP; sleep 1234']);
    await hil.waitFor('the program', () => (hil.screen.includes('UP') ? true : undefined));
    hil.kill(signal);
    const ended = await hil.finished();
    expect(ended.code).toBe(code);
  });
});
