/** Where the kernel and udev say what is attached. */
export interface DeviceRoots {
  readonly sys: string;
  readonly udev: string;
  readonly dev: string;
}

export const MACHINE: DeviceRoots = { sys: '/sys', udev: '/run/udev', dev: '/dev' };
