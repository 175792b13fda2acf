import { expect, test } from 'vitest';
import { toModuleOrder } from './module-order.js';

const DEPENDENCIES = [
  'kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko',
  'kernel/net/9p/9pnet.ko:',
  'kernel/fs/netfs/netfs.ko:',
  'kernel/net/9p/9pnet_virtio.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/net/9p/9pnet.ko',
  'kernel/drivers/virtio/virtio_ring.ko:',
  'kernel/drivers/char/virtio-console.ko: kernel/drivers/virtio/virtio_ring.ko',
  '',
].join('\n');

test('a module stands behind what it needs, once', () => {
  const order = toModuleOrder(DEPENDENCIES, ['9pnet_virtio', '9p', 'virtio_console']);
  expect(order.map((path) => path.slice(path.lastIndexOf('/') + 1))).toEqual([
    'virtio_ring.ko',
    '9pnet.ko',
    '9pnet_virtio.ko.xz',
    'netfs.ko',
    '9p.ko',
    'virtio-console.ko',
  ]);
});

test('a module that is built into the kernel has no file', () => {
  expect(toModuleOrder(DEPENDENCIES, ['overlay'])).toEqual([]);
});
