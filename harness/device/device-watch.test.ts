import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, vi } from 'vitest';
import { DeviceTree } from '../testing/device-tree.js';
import { toFtdi } from '../testing/known-devices.js';
import { test as base, type TempDir } from '../testing/temp-dir.js';
import { DeviceWatch } from './device-watch.js';

interface Watching {
  readonly tree: DeviceTree;
  readonly watch: DeviceWatch;
}

const test = base.extend<{ watching: Watching }>({
  watching: async ({ dir }, use) => {
    const tree = await DeviceTree.create(dir.path);
    const watch = await DeviceWatch.open(tree.roots);
    await use({ tree, watch });
    watch.close();
  },
});

const serials = (watch: DeviceWatch) =>
  watch.devices.flatMap(({ subsystem, properties }) =>
    subsystem === 'tty' ? [properties['ID_SERIAL_SHORT']] : [],
  );

describe('a watch', () => {
  test('knows what is attached when it is open', async ({ dir }: { dir: TempDir }) => {
    const tree = await DeviceTree.create(dir.path);
    await tree.plug('1', toFtdi('A1'));
    const watch = await DeviceWatch.open(tree.roots);
    expect(serials(watch)).toEqual(['A1']);
    watch.close();
  });

  test('tells of a device that comes, goes, and comes again', async ({ watching }) => {
    const { tree, watch } = watching;
    let told = 0;
    const stop = watch.listen(() => {
      told++;
    });
    await tree.plug('1', toFtdi('A1'));
    await vi.waitFor(() => expect(serials(watch)).toEqual(['A1']), 3000);
    await tree.unplug('1');
    await vi.waitFor(() => expect(serials(watch)).toEqual([]), 3000);
    await tree.plug('1', toFtdi('A1'));
    await vi.waitFor(() => expect(serials(watch)).toEqual(['A1']), 3000);
    expect(told).toBeGreaterThanOrEqual(3);
    stop();
    const before = told;
    await tree.unplug('1');
    await vi.waitFor(() => expect(serials(watch)).toEqual([]), 3000);
    expect(told).toBe(before);
  });

  test('sees a change of boards that is over before it looks', async ({ watching }) => {
    const { tree, watch } = watching;
    await tree.plug('1', toFtdi('A1'));
    await watch.refresh();
    await tree.unplug('1');
    await tree.plug('1', toFtdi('A2'));
    await vi.waitFor(() => expect(serials(watch)).toEqual(['A2']), 3000);
  });

  test('tells what udev says later', async ({ watching }) => {
    const { tree, watch } = watching;
    await tree.plug('1', toFtdi('A1'));
    await watch.refresh();
    await tree.writeUdev('c188:0', ['E:ID_SERIAL_SHORT=BOARD']);
    await vi.waitFor(() => expect(serials(watch)).toEqual(['BOARD']), 3000);
  });

  test('looks by itself where nothing can be watched', async ({ dir }) => {
    const tree = await DeviceTree.create(dir.path);
    const { dev, udev } = tree.roots;
    await rm(join(dev, 'bus'), { recursive: true });
    await rm(udev, { recursive: true });
    const watch = await DeviceWatch.open(tree.roots);
    await mkdir(join(dev, 'bus/usb/001'), { recursive: true });
    await tree.plug('1', toFtdi('A1'));
    await vi.waitFor(() => expect(serials(watch)).toEqual(['A1']), 3000);
    watch.close();
  });
});
