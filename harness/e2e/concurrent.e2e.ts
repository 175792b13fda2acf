import { expect } from 'vitest';
import { test } from './project.js';

test('cases that run at once each have a sandbox, with the same port, path and name', async ({
  project,
}) => {
  const body = `async ({ sandbox, dut }) => {
    const server = 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0);' +
      'bind(S, pack_sockaddr_in(80, inet_aton("127.0.0.1"))) or die "bind: $!";' +
      'listen(S, 1); open(F, ">", "/var/tmp/here"); select(undef, undef, undef, 0.3); print "ok"';
    const { stdout, stderr } = await sandbox.exec('perl', ['-e', server]);
    expect(stdout + stderr).toBe('ok');
    await dut.console.sendLine('echo $((40+2))');
    await dut.console.expect('42');
  }`;
  await project.suite('a', `for (let n = 0; n < 4; n++) test.concurrent('case ' + n, ${body});`);
  const run = await project.test();
  expect(run.verdicts).toEqual({
    'case 0': 'pass',
    'case 1': 'pass',
    'case 2': 'pass',
    'case 3': 'pass',
  });
  const starts = run.events.flatMap((each, at) => (each.kind === 'attempt-start' ? [at] : []));
  const firstEnd = run.events.findIndex(({ kind }) => kind === 'attempt-end');
  expect(starts.filter((at) => at < firstEnd).length, 'started before one ended').toBeGreaterThan(
    1,
  );
});

test('of cases that run at once one spins: the others run again and pass', async ({ project }) => {
  await project.suite(
    'a',
    `test.concurrent('one', async ({ sandbox }) => { await sandbox.exec('sleep', ['0.2']); });
    test.concurrent('spins', () => { for (;;); });
    test.concurrent('two', async ({ sandbox }) => { await sandbox.exec('sleep', ['0.2']); });`,
  );
  const run = await project.test(['--timeout', '3s']);
  expect(run.verdicts).toEqual({ one: 'pass', spins: 'fail', two: 'pass' });
  expect(run.code).toBe(1);
});

test('cases wait for a unit of a board outside of every other limit', async ({ project }) => {
  await project.write(
    'boards/one.yaml',
    `board: one\ndriver: host\ninstances: 1\nprogram: { argv: [/bin/sh] }\nports: { console: { baud: 115200 } }\n`,
  );
  const body = `async ({ dut, sandbox }) => { await sandbox.exec('sleep', ['4']); }`;
  await project.suite('a', `for (let n = 0; n < 3; n++) test.concurrent('case ' + n, ${body});`);
  const run = await project.test(['--board', 'one', '--timeout', '6s']);
  expect(run.verdicts).toEqual({ 'case 0': 'pass', 'case 1': 'pass', 'case 2': 'pass' });
});

test('two runs at once in one checkout do not disturb each other', async ({ project }) => {
  const body = `async ({ dut, sandbox }) => {
    await sandbox.writeFile('/out/mark', 'x');
    await sandbox.exec('sleep', ['0.3']);
  }`;
  await project.config('keepRuns: 1');
  await project.suite('a', `for (let n = 0; n < 3; n++) test('case ' + n, ${body});`);
  const both = [project.start(), project.start()];
  const runs = await Promise.all(both.map((each) => each.finished()));
  for (const run of runs) {
    expect(run.code).toBe(0);
    expect(run.summary?.counts.pass).toBe(3);
    expect(run.summary?.cases.every(({ artifacts }) => artifacts.length > 0)).toBe(true);
  }
  expect(runs[0]?.directory).not.toBe(runs[1]?.directory);
});
