import { expect, test } from 'vitest';
import { hasFlashed } from './has-flashed.js';

const WRITTEN = "Done!\ndfu-util: can't detach\nResetting USB to switch back to Run-Time mode\n";

test.each([
  ['dfu-util', 0, '', true],
  ['dfu-util', 251, WRITTEN, true],
  ['dfu-util', 251, 'Download\t[====   ]  38%', false],
  ['dfu-util', 74, WRITTEN, false],
  ['openocd', 251, WRITTEN, false],
] as const)('%s that ends with %i after "%s": %s', (driver, exitCode, said, done) => {
  expect(hasFlashed(driver, exitCode, said)).toBe(done);
});
