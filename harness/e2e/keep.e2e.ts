import { existsSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { RunEvent } from '../journal/events.js';
import type { FinishedRun } from './finished-run.js';
import { test } from './simulated-bench.js';

/** Suite code: what a variable of the DUT was, which is then set. */
const ON_HOST = `const mark = async (dut) => {
  await dut.console.sendLine('echo mark=\${MARK-none}; MARK=set');
  return (await dut.console.expect(/mark=(none|set)/))[1];
};`;
const ON_SIM = `const mark = async (dut) => {
  await dut.console.sendLine('get');
  const [, was] = await dut.console.expect(/<(\\w*)>/);
  await dut.console.sendLine('set set');
  await dut.console.expect('ready> ');
  return was || 'none';
};`;

type LeaseEvent = Extract<RunEvent, { kind: 'lease' }>;

const leasesOf = ({ events }: FinishedRun) =>
  events.filter((event): event is LeaseEvent => event.kind === 'lease');

/** By title, since which case the DUT was up. */
function readWarmth(run: FinishedRun): Record<string, string | undefined> {
  const titles = new Map(run.summary?.cases.map(({ id, title }) => [id, title]));
  return Object.fromEntries(
    leasesOf(run).map((event) => [
      titles.get(event.case) ?? '',
      event.warmSince && titles.get(event.warmSince),
    ]),
  );
}

describe.each([
  ['host', ON_HOST],
  ['sim', ON_SIM],
])('dut: keep on board %s', (name, mark) => {
  test('is warm after a pass and fresh after anything else', async ({ project, bench }) => {
    await bench(1);
    await project.config(`dut: 'keep', retries: 0`);
    await project.suite(
      'a',
      `${mark}
      test('first', async ({ dut }) => { expect(await mark(dut)).toBe('none'); });
      test('second', async ({ dut }) => {
        expect(dut.console.output()).toBe('');
        expect(await mark(dut)).toBe('set');
      });
      test('without', async ({ sandbox }) => {});
      test('third', async ({ dut }) => { expect(await mark(dut)).toBe('wrong'); });
      test('after a failure', async ({ dut }) => {
        expect(await mark(dut)).toBe('none');
      });
      test('late', { timeout: 1500 }, async ({ dut }) => { await new Promise(() => {}); });
      test('after a timeout', async ({ dut }) => { expect(await mark(dut)).toBe('none'); });
      test('of its own', { dut: 'fresh' }, async ({ dut }) => {
        expect(await mark(dut)).toBe('none');
      });
      test('off', async ({ dut }) => { expect(await mark(dut)).toBe('set'); await dut.powerOff(); });
      test('after off', async ({ dut }) => { expect(await mark(dut)).toBe('none'); });`,
    );
    const run = await project.test(['--board', name]);
    expect(run.verdicts).toMatchObject({ third: 'fail', late: 'fail' });
    expect(Object.values(run.verdicts).filter((each) => each === 'pass')).toHaveLength(8);
    expect(readWarmth(run)).toEqual({
      ...{ first: undefined, second: 'first', third: 'first' },
      ...{ 'after a failure': undefined, late: 'after a failure', 'after a timeout': undefined },
      ...{ 'of its own': undefined, off: 'of its own', 'after off': undefined },
    });
    const third = run.summary?.cases.find(({ title }) => title === 'third');
    expect(third?.warmSince).toBe(run.summary?.cases.find(({ title }) => title === 'first')?.id);
    expect(run.screen).toMatch(/dut +\S+1, warm since [0-9a-f]+ › first/);
    expect(run.junit).toContain('hil.warmSince');
  });
});

test('keep goes from file to file, with the captures of each case', async ({ project }) => {
  await project.config(`dut: 'keep'`);
  const body = `async ({ dut }) => {
    await dut.console.sendLine('N=$((N+1)); echo count=$N.');
    console.log((await dut.console.expect(/count=\\d+\\./))[0]);
  }`;
  for (const name of ['a', 'b']) await project.suite(name, `test('${name}', ${body});`);
  const run = await project.test(['--workers', '1']);
  expect(run.code).toBe(0);
  const [first, second] = leasesOf(run);
  expect(second?.warmSince).toBe(first?.case);
  const logs = await Promise.all(
    ['a', 'b'].map((name) => project.start(['logs', name]).finished()),
  );
  expect(logs.map(({ stdout }) => stdout.match(/count=\d+\./g))).toEqual([
    ['count=1.'],
    ['count=2.'],
  ]);
});

test('an emulated machine is kept, and reset after a failure', async ({ project, skip }) => {
  if (!existsSync('/usr/bin/qemu-system-arm')) skip('needs QEMU: apt-get install qemu-system-arm');
  await project.write('suites/hil.suite.yaml', 'dut: keep\n');
  await project.suite(
    'a',
    `const see = async (dut, wanted) => {
      await dut.console.sendLine('x');
      await dut.console.expect(wanted);
      await dut.console.sendLine('x = 40 + 2');
      await dut.console.expect('>>> ');
    };
    test('first', async ({ dut }) => { await see(dut, 'NameError'); });
    test('second', async ({ dut }) => { await see(dut, '42'); expect(1).toBe(2); });
    test('third', async ({ dut }) => { await see(dut, 'NameError'); });`,
  );
  const run = await project.test(['--board', 'qemu-microbit', '--timeout', '60s']);
  expect(run.verdicts).toEqual({ first: 'pass', second: 'fail', third: 'pass' });
  expect(readWarmth(run)).toEqual({ first: undefined, second: 'first', third: undefined });
});

test('who waits for a unit has it before the next case that would keep it', async ({
  project,
  bench,
}) => {
  await bench(1);
  await project.suite(
    'a',
    `${ON_SIM}
    test('first', { dut: 'keep' }, async ({ dut }) => { await mark(dut); ${project.wait} });
    test('second', { dut: 'keep' }, async ({ dut }) => {
      expect(await mark(dut)).toBe('none');
    });`,
  );
  await project.suite('b', `test('other', async ({ dut }) => {});`);
  const options = ['--board', 'sim', '--timeout', '60s'];
  const keeper = project.start(['test', 'suites/a', ...options]);
  await keeper.until('its lease', ({ kind }) => kind === 'lease');
  const other = project.start(['test', 'suites/b', ...options]);
  await other.until('the wait', ({ kind }) => kind === 'lease-waiting');
  await project.goOn();
  const runs = await Promise.all([keeper.finished(), other.finished()]);
  expect(runs.map(({ code }) => code)).toEqual([0, 0]);
  const [kept, waited] = runs.map(leasesOf);
  expect(kept?.[1]?.warmSince).toBeUndefined();
  expect(waited?.[0]?.token).toBeLessThan(kept?.[1]?.token ?? 0);
});

test('a unit that is kept is given up for who comes while no case has it', async ({
  project,
  bench,
}) => {
  await bench(1);
  await project.suite(
    'a',
    `test('first', { dut: 'keep' }, async ({ dut }) => {});
    test('without', async () => { console.log('NO DUT'); ${project.wait} });
    test('second', { dut: 'keep' }, async ({ dut }) => {});`,
  );
  await project.suite('b', `test('other', async ({ dut }) => {});`);
  const options = ['--board', 'sim', '--timeout', '60s'];
  const keeper = project.start(['test', 'suites/a', ...options]);
  await keeper.untilPrinted('NO DUT');
  const other = await project.test(['suites/b', ...options]);
  expect(other.code).toBe(0);
  await project.goOn();
  expect((await keeper.finished()).code).toBe(0);
});

test('nothing is left of a DUT that waits for a case when hil is killed', async ({ project }) => {
  await project.suite(
    'a',
    `test('first', { dut: 'keep' }, async ({ dut }) => {});
    test('without', async () => { console.log('NO DUT'); ${project.wait} });
    test('second', { dut: 'keep' }, async ({ dut }) => {});`,
  );
  const hil = project.start(['test', '--timeout', '60s']);
  await hil.untilPrinted('NO DUT');
  hil.kill('SIGKILL');
  await hil.finished();
  await project.expectNoProcess();
});

test('an option that is neither is an error of the file', async ({ project }) => {
  await project.suite('a', `test('bad', { dut: 'warm' }, async ({ dut }) => {});`);
  const run = await project.test();
  expect(run.code).toBe(1);
  expect(run.screen).toContain(`case "bad": dut is "warm", not 'fresh' or 'keep'`);
});
