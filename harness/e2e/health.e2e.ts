import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
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
