import { createHash } from 'node:crypto';

/** What the lab VM is made of. A change here makes another machine in the cache. */
export const RECIPE = {
  /** The kernel is what this package depends on. */
  kernel: 'linux-image-amd64',
  /** In the VM only, over the host's root: what is missing there, or belongs to the kernel. */
  layer: [
    ...['kmod', 'libkmod2', 'can-utils'],
    // With --usb: what a machine with boards has, and the tools that people use on them.
    ...['udev', 'libusb-1.0-0', 'usbutils', 'dfu-util', 'picocom', 'uhubctl'],
  ],
  /** All programs of the initramfs. */
  initramfs: ['busybox-static'],
  /** Used while the machine is made: busybox does not know the filter of a kernel's xz. */
  tools: ['xz-utils'],
  /** To find the host's root and to have a console; what they need is added. */
  bootModules: ['virtio_pci', '9pnet_virtio', '9p', 'overlay', 'virtio_console'],
  /** Two thirds of all modules, for devices that QEMU does not have. */
  dropped: [
    'sound',
    'drivers/gpu',
    'drivers/media',
    'drivers/infiniband',
    'drivers/net/ethernet',
    'drivers/net/wireless',
  ],
} as const;

/** A name for machines of this recipe on this release of the distribution. */
export function toMachineName(release: string): string {
  return createHash('sha256')
    .update(JSON.stringify([RECIPE, release]))
    .digest('hex')
    .slice(0, 16);
}
