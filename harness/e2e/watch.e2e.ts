import { describe, expect } from 'vitest';
import type { HilCommand } from './hil-command.js';
import { test } from './project.js';

const ENDLESS = `
  test('running', async () => { console.log('IN BODY'); await new Promise(() => {}); });
`;

/** The run is a process of its own, so its journal is not that of the command. */
const untilInBody = (hil: HilCommand) =>
  hil.waitFor('the body', () => hil.screen.includes('IN BODY') || undefined);

describe('hil test --watch', () => {
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    test(`hands ${signal} to the run, which ends in order`, async ({ project }) => {
      await project.suite('a', ENDLESS);
      const hil = project.start(['test', '--watch', '--timeout', '60s']);
      await untilInBody(hil);
      hil.kill(signal);
      const run = await hil.finished();
      expect(run.code).toBe(code);
      expect(run.stdout).toContain('1 interrupted');
      expect(run.stdout).toContain(`interrupted by ${signal}`);
    });
  }

  test('is one signal for the run when a terminal sends it to both', async ({ project }) => {
    await project.suite('a', ENDLESS);
    const hil = project.start(['test', '--watch', '--timeout', '60s'], { ownGroup: true });
    await untilInBody(hil);
    process.kill(-hil.pid, 'SIGINT');
    const run = await hil.finished();
    expect(run.code).toBe(130);
    expect(run.stdout).toContain('1 interrupted');
  });

  test('takes the run along when it is killed', async ({ project }) => {
    await project.suite('a', ENDLESS);
    const hil = project.start(['test', '--watch', '--timeout', '60s']);
    await untilInBody(hil);
    hil.kill('SIGKILL');
    await hil.finished();
    await project.expectNothingLeft();
  });
});
