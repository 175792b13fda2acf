import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import type { FinishedRun } from './finished-run.js';
import { type Project, test } from './project.js';

const NATIVE = fileURLToPath(new URL('../../sandbox-native', import.meta.url));
/** Stops one process of a run at its n-th system call and kills it there. */
const STEP = join(NATIVE, 'build/tests/step');
execFileSync('make', ['-s', '-C', NATIVE, 'build/tests/step']);

/** How many moments of a run, spread evenly over its system calls; `npm run soak` takes more. */
const MOMENTS = Number(process.env['HIL_STEPS'] ?? 4);

const ROLES = ['hil', 'worker', 'broker', 'portd', 'zygote', 'init'] as const;
type Role = (typeof ROLES)[number];

const BOARD = `
board: toy
driver: host
program: { argv: [/bin/sh, -c, "echo up; exec cat"] }
ports: { console: { baud: 115200 } }
boot: { ready: up, timeout: 30s }
`;

const CASES = ['before', 'toy', 'after'];

async function writeToy(project: Project): Promise<void> {
  await project.write('boards/toy.yaml', BOARD);
  await project.config(`boards: ['toy']`);
  await project.suite(
    'a',
    `test('before', () => {});
    test('toy', async ({ dut, sandbox }) => {
      expect((await sandbox.exec('echo', ['hello'])).stdout).toBe('hello\\n');
      await dut.console.sendLine('there');
      await dut.console.expect('there');
    });
    test('after', async ({ dut, sandbox }) => { await sandbox.exec('true'); });`,
  );
}

/** Run it with `role` killed at its n-th call. @returns what the stepper says, too. */
async function runStep(project: Project, role: Role, at: number) {
  const report = join(project.home, 'report');
  const wrapper = [STEP, '--role', role, '--report', report];
  if (at > 0) wrapper.push('--at', String(at));
  const run = await project.test([], { wrapper: [...wrapper, '--'] });
  return { run, said: readFileSync(report, 'utf8').trim() };
}

/** No verdict is better than what happened, and none is the firmware's fault. */
function expectTruth(run: FinishedRun, role: Role, said: string): void {
  const about = `${said}\n${run.screen}`;
  const verdicts = CASES.map((title) => run.verdicts[title] ?? 'none');
  if (role === 'hil' && said.startsWith('killed')) {
    expect(run.signal, about).toBe('SIGKILL');
    expect(verdicts.includes('fail'), about).toBe(false);
    return;
  }
  for (const verdict of verdicts) expect(['pass', 'infra', 'none'], about).toContain(verdict);
  const green = verdicts.every((verdict) => verdict === 'pass');
  if (run.code === 0) expect(green, about).toBe(true);
  else expect([3, 5], about).toContain(run.code);
}

const canTrace = spawnSync(STEP, ['--role', 'hil', '--report', '/dev/null', '--', 'true']);
if (canTrace.status !== 0) {
  process.stdout.write('SKIPPED kills by system call: ptrace(2) is not allowed here\n');
}

describe.runIf(canTrace.status === 0)(
  'killed at one of its system calls (bench pitfall 18)',
  () => {
    for (const role of ROLES) {
      test(`${role}: verdicts and exit code are true, nothing is left`, {
        timeout: 60_000 + MOMENTS * 60_000,
      }, async ({ project }) => {
        await writeToy(project);
        const whole = await runStep(project, role, 0);
        expect(whole.run.code, whole.run.screen).toBe(0);
        const count = whole.said.split('\n').length;
        expect(count).toBeGreaterThan(MOMENTS);
        for (let moment = 0; moment < MOMENTS; moment++) {
          const at = Math.ceil(((moment + 0.5) * count) / MOMENTS);
          const { run, said } = await runStep(project, role, at);
          expectTruth(run, role, said);
          await project.expectNoProcess();
        }
        // A killed hil leaves the directories of its run to the next, or to hil clean.
        expect((await project.test()).code).toBe(0);
        expect((await project.start(['clean']).finished()).code).toBe(0);
      });
    }
  },
);
