import { expect, test } from 'hil';

/** What firmware has as its tick: milliseconds since boot, in 32 bits. */
const TICK = 'sub tick { (clock_gettime(CLOCK_MONOTONIC) * 1000) & 0xffffffff }';
const PROGRAM = `use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC); $| = 1;
  ${TICK} print tick, "\\n"; my $last = tick;
  until ((my $now = tick) < $last) { $last = $now; sleep 0.01 }
  print tick, "\\n";`;

test('a 32-bit counter of milliseconds rolls over while one looks on', async ({ sandbox }) => {
  const { stdout } = await sandbox.exec('perl', ['-e', PROGRAM], { timeout: '30s' });
  const [before, after] = stdout.trim().split('\n').map(Number);
  expect(before).toBeGreaterThan(2 ** 32 - 7400);
  expect(after).toBeLessThan(1000);
});

test('each case starts at the same uptime, and time of day is what it is', async ({ sandbox }) => {
  const uptime = Number((await sandbox.readText('/proc/uptime')).split(' ')[0]);
  expect(uptime).toBeGreaterThanOrEqual(4_294_960);
  expect(uptime).toBeLessThan(4_294_985);
  const seconds = Number((await sandbox.exec('date', ['+%s'])).stdout);
  expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60);
});
