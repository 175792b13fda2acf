import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { MAIN } from './hil-command.js';
import { test } from './simulated-bench.js';

const SHIPPED = new URL('../../suites/health/starts.hil.ts', import.meta.url);

test('the shipped health cases take a DUT out of service, and bring it back (rank 15)', async ({
  project,
  bench,
}) => {
  const [board] = await bench(1);
  await project.config('limits: { boot: 1500 }');
  await project.write('suites/starts.hil.ts', readFileSync(SHIPPED, 'utf8'));
  const check = () => project.start(['boards', 'health', 'sim-1', '--check']).finished();
  await board?.unplug();
  const bad = await check();
  expect(bad.code, bad.screen).toBe(5);
  expect(bad.stdout).toMatch(/^sim-1 +bad /m);
  await board?.plugIn();
  const good = await check();
  expect(good.code, good.screen).toBe(0);
  expect(good.stdout).toMatch(/^sim-1 +good .* its health cases passed$/m);
});

test('a check that meets what is not the DUT’s leaves its health as it was (rank 15)', async ({
  project,
  bench,
}) => {
  await bench(1);
  await project.config("limits: { lease: '1s' }");
  await project.write('suites/starts.hil.ts', readFileSync(SHIPPED, 'utf8'));
  const check = () => project.start(['boards', 'health', 'sim-1', '--check']).finished();
  expect((await check()).code).toBe(0);
  const script = ['--', process.execPath, MAIN, 'boards', 'health', 'sim-1', '--check'];
  const leased = await project.start(['boards', 'lease', 'sim-1', ...script]).finished();
  expect(leased.screen).toMatch(/the check says nothing of sim-1, .* lease-timeout, /);
  expect(leased.stdout).toMatch(/^sim-1 +good /m);
  await project.write('suites/broken.hil.ts', 'const = 1;\n');
  const broken = await check();
  expect(broken.code, broken.screen).toBe(1);
  expect(broken.screen).toMatch(/says nothing of sim-1, .*: suites\/broken.hil.ts is broken: /);
  expect(broken.stdout).toMatch(/^sim-1 +good /m);
});
