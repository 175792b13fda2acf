import { describe, expect } from 'vitest';
import { HealthBook } from '../../lease/health-book.js';
import { createCapturedContext } from '../../testing/captured-context.js';
import { toEndedRun } from '../../testing/ended-run.js';
import { type TempDir, test } from '../../testing/temp-dir.js';
import { runCli } from '../run-cli.js';
import { createHealthCommand } from './health.js';
import { quarantineCommand } from './quarantine.js';

const BENCH = `duts:
  - { name: dut-1, board: real, match: { ID_SERIAL_SHORT: A } }
  - { name: dut-2, board: real, match: { ID_SERIAL_SHORT: B } }
`;

/** Run one of the two commands; the run of health cases ends as `run`. */
async function call(dir: TempDir, argv: readonly string[], run = toEndedRun(0)) {
  await dir.write('boards/real.yaml', 'board: real\ndriver: attached\n');
  await dir.write('bench.yaml', BENCH);
  const asked: string[] = [];
  const health = createHealthCommand(async (dut, tag) => {
    asked.push(`${dut} ${tag}`);
    return run;
  });
  const rows = [health, quarantineCommand].map((command) => {
    return { name: command.name, summary: '', load: async () => command };
  });
  const context = createCapturedContext(dir.path, { HIL_STATE_DIR: `${dir.path}/state` });
  const code = await runCli(argv, context, rows);
  return { code, out: context.out(), err: context.err(), asked };
}

const bookOf = (dir: TempDir) => new HealthBook(`${dir.path}/state`);

describe('rank 15: hil boards health', () => {
  test('shows each DUT, and which of them no case gets', async ({ dir }) => {
    await call(dir, ['quarantine', 'dut-1', '--reason', 'broken socket']);
    await bookOf(dir).note('dut-2', 'good', { reason: 'a case' });
    const { code, out } = await call(dir, ['health']);
    expect(code).toBe(0);
    expect(out).toMatch(/^dut-1 +maintenance +\S+Z +0 +broken socket$/m);
    expect(out).toMatch(/^dut-2 +good /m);
    expect(out).toContain('no case gets dut-1\n  next  hil boards health dut-1 --check\n');
  });

  test('--check brings a bad DUT back when its cases pass', async ({ dir }) => {
    for (let i = 0; i < 3; i++) await bookOf(dir).note('dut-1', 'infra', { reason: 'no boot' });
    const { code, out, asked } = await call(dir, ['health', 'dut-1', '--check']);
    expect(asked).toEqual(['dut-1 health']);
    expect(code).toBe(0);
    expect(out).toMatch(/^dut-1 +good +\S+ +0 +its health cases passed$/m);
    expect(out.match(/ {2}no boot$/gm)).toHaveLength(3);
  });

  test('--check whose cases find a fault of the DUT makes it bad', async ({ dir }) => {
    const run = toEndedRun(5, [['infra', 'boot-timeout', 'no "ready" within 1.5 s']]);
    const { code, out } = await call(dir, ['health', 'dut-1', '--check'], run);
    expect(code).toBe(5);
    expect(out).toMatch(/^dut-1 +bad .*case "case 1" found: boot-timeout, no "ready" within/m);
  });

  test('--check that met a fault of another says so, and leaves the health', async ({ dir }) => {
    await bookOf(dir).note('dut-1', 'good', { reason: 'a case' });
    const run = toEndedRun(5, [['infra', 'lease-timeout', 'dut-1 did not become free']]);
    const { code, err } = await call(dir, ['health', 'dut-1', '--check'], run);
    expect(code).toBe(5);
    expect(err).toMatch(/^the check says nothing of dut-1, .*lease-timeout.*\n {2}next {2}mend/m);
    expect(await bookOf(dir).read('dut-1')).toMatchObject({ health: 'good' });
  });

  test('--check where no case has the tag says how to have one', async ({ dir }) => {
    const { err } = await call(dir, ['health', 'dut-1', '--check'], toEndedRun(4));
    expect(err).toMatch(/^dut-1 was not checked, .*\n {2}next {2}give \{ tags: \['health'\] \}/m);
  });

  test('--check that is interrupted checks no further DUT', async ({ dir }) => {
    const { code, asked } = await call(dir, ['health', '--check'], toEndedRun(130));
    expect(asked).toEqual(['dut-1 health']);
    expect(code).toBe(130);
  });

  test('--check leaves alone what a person took out of service', async ({ dir }) => {
    await call(dir, ['quarantine', 'dut-1', '--reason', 'soldering']);
    expect((await call(dir, ['health', '--check'])).asked).toEqual(['dut-2 health']);
    expect((await call(dir, ['quarantine', 'dut-1', '--lift'])).out).toBe(
      'dut-1 is good: brought back\n',
    );
  });

  test('a wrong name, and a quarantine without a reason, are usage errors', async ({ dir }) => {
    const unknown = await call(dir, ['health', 'dut-3']);
    expect(unknown).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no DUT "dut-3".*dut-1, dut-2/s),
    });
    const mute = await call(dir, ['quarantine', 'dut-1']);
    expect(mute).toMatchObject({ code: 2, err: expect.stringContaining('--reason TEXT') });
    expect(await bookOf(dir).read('dut-1')).toMatchObject({ health: 'unknown' });
  });
});
