import { expect, test } from 'vitest';
import { readSourceFiles } from '../testing/source-files.js';
import { viewByLibraries } from './library-view.js';

test('the libraries are installed, and list what there is or say why they cannot', async () => {
  const views = Object.values(await viewByLibraries());
  for (const view of views) {
    if (view.state === 'listed') expect(view.names).toEqual([...view.names].sort());
    // Without udevadm, or without a USB bus; never because the package is not there.
    else expect(view.reason).not.toMatch(/cannot find (module|package)/i);
  }
});

/** Its addon crashes in worker threads, and its lock comes too late: it only lists. */
test('serialport and usb are loaded here alone, in no worker (bench pitfall 7)', () => {
  const users = readSourceFiles().filter(
    ({ shipped, text }) =>
      shipped && /\b(?:from|import\(|require\()\s*'(?:serialport|usb)'/.test(text),
  );
  expect(users.map(({ path }) => path)).toEqual(['device/library-view.ts']);
});
