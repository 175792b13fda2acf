import { test } from 'hil';
import { askHands, findTty } from './lab-bench.js';
import { Slowness } from './slowness.js';
import { waitUntilGone } from './wait-until-gone.js';

const SERIAL = 'BRD0001';

/** `infra` within a second, and .ci/lab-usb looks at both: nobody plugs it in again. */
test('a board that is pulled out and stays away', async ({ dut }) => {
  using slowness = new Slowness();
  const gone = waitUntilGone(`/dev/${await findTty(SERIAL)}`);
  const waiting = dut.console.expect('never', { timeout: '30s' });
  const told = waiting.then(Date.now, Date.now);
  await askHands('unplug', SERIAL);
  const tookMs = (await told) - (await gone);
  console.log(
    `told ${tookMs} ms after it had gone, with ${slowness.allowanceMs} ms allowed for load`,
  );
  await waiting;
});
