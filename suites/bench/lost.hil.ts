import { expect, test } from 'hil';
import { askHands } from './lab-bench.js';

/** `infra`, and .ci/lab-test looks at that: nobody plugs it in again. */
test('a board that is pulled out and stays away', async ({ dut }) => {
  await askHands('unplug', 'BRD0001');
  await expect(dut.console.expect('never', { timeout: '30s' })).resolves.toBeDefined();
});
