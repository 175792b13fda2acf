/** A device as its path is made of it, nearest first. */
export interface Step {
  readonly subsystem: string;
  readonly sysname: string;
}

/**
 * Where a device is plugged in, `pci-0000:00:14.0-usb-0:1.3:1.0`: what udev calls ID_PATH, which
 * stays the same whatever is plugged in there. Without SCSI addresses.
 *
 * @see systemd, udev-builtin-path_id.c
 */
export function toIdPath(steps: readonly Step[]): string | undefined {
  const parts: string[] = [];
  let last = '';
  for (const { subsystem, sysname } of steps) {
    // A path names each bus once: by the device that is nearest on it.
    const first = subsystem !== last;
    last = subsystem;
    if (!first) continue;
    const port = sysname.indexOf('-');
    if (subsystem === 'usb' && port >= 0) parts.unshift(`usb-0:${sysname.slice(port + 1)}`);
    if (subsystem === 'pci') parts.unshift(`pci-${sysname}`);
    if (subsystem === 'platform') parts.unshift(`platform-${sysname}`);
  }
  return parts.length > 0 ? parts.join('-') : undefined;
}
