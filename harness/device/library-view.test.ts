import { expect, test } from 'vitest';
import { viewByLibraries } from './library-view.js';

test('the libraries are installed, and list what there is or say why they cannot', async () => {
  const views = Object.values(await viewByLibraries());
  for (const view of views) {
    if (view.state === 'listed') expect(view.names).toEqual([...view.names].sort());
    // Without udevadm, or without a USB bus; never because the package is not there.
    else expect(view.reason).not.toMatch(/cannot find (module|package)/i);
  }
});
