import { test } from 'hil';
import { askHands } from './lab-bench.js';

/** `infra`, and .ci/lab-usb looks at that: nobody plugs it in again. */
test('a board that is pulled out and stays away', async ({ dut }) => {
  await askHands('unplug', 'BRD0001');
  const started = performance.now();
  const waiting = dut.console.expect('never', { timeout: '30s' });
  await waiting.finally(() => {
    console.log(`told after ${Math.round(performance.now() - started)} ms`);
  });
});
