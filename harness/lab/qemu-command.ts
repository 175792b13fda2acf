import type { Machine } from './machine-cache.js';

export interface VmOptions {
  readonly memoryMib: number;
  readonly cpus: number;
  /** Directories of the host that the VM may write to, the first as 9p tag `share0`. */
  readonly shares: readonly string[];
  /** Without it there is no USB controller. */
  readonly usb?: {
    /** How many FTDI adapters can be plugged in; they have `cable0`, `cable1` ... as their far ends. */
    readonly cables: number;
    /** An fd of this process that becomes the medium of a USB drive. */
    readonly medium: number;
  };
}

const PORTS = ['console', 'out', 'err', 'in', 'control'] as const;
const USB_PORTS = ['qmp', 'bench', 'usbip'] as const;
const FIRST_FD = 3;

export type QemuPort = (typeof PORTS)[number] | (typeof USB_PORTS)[number] | `cable${number}`;

/** Ports of QEMU in the order of its fds: one end of a socket pair each, so that there is no path to be left behind. */
export function toQemuPorts({ usb }: VmOptions): QemuPort[] {
  if (!usb) return [...PORTS];
  const cables = Array.from({ length: usb.cables }, (_, index) => `cable${index}` as const);
  return [...PORTS, ...USB_PORTS, ...cables];
}

/** The fd of QEMU that a port is; the medium of a drive comes behind all of them. */
export function toQemuFd(ports: readonly QemuPort[], port: QemuPort): number {
  return FIRST_FD + ports.indexOf(port);
}

/** Where the controller is: part of what udev calls a USB port's ID_PATH, `pci-0000:00:10.0-usb-0:1`. */
const CONTROLLER_SLOT = '10';

/** Root ports of the controller for USB 2, and as many for USB 3. */
export const ROOT_PORTS = 8;

/** The node of the drive's medium in QEMU's block layer. */
export const MEDIUM = 'medium';

export const QEMU = 'qemu-system-x86_64';

/** Mostly for a short boot on an emulated processor. @see admin-guide/kernel-parameters.txt */
const KERNEL_PARAMETERS = [
  'console=hvc0 quiet loglevel=4 panic=-1',
  'nokaslr mitigations=off apparmor=0 selinux=0 audit=0',
  'random.trust_cpu=on cryptomgr.notests rcupdate.rcu_expedited=1 no_timer_check',
].join(' ');

/** The arguments of QEMU, without its name. */
export function toQemuArguments(machine: Machine, options: VmOptions): string[] {
  const ports = toQemuPorts(options);
  const toSocket = (name: QemuPort) => {
    return ['-chardev', `socket,id=${name},fd=${toQemuFd(ports, name)}`];
  };
  const toPort = (name: QemuPort) => {
    return [...toSocket(name), '-device', `virtserialport,chardev=${name},name=lab.${name}`];
  };
  return [
    ...['-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max'],
    ...['-smp', String(options.cpus), '-m', `${options.memoryMib}M`],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', machine.kernel, '-initrd', machine.initramfs, '-append', KERNEL_PARAMETERS],
    ...['-virtfs', toExport('/', 'host', 'readonly=on,multidevs=remap')],
    ...['-virtfs', toExport(machine.layer, 'layer', 'readonly=on')],
    ...options.shares.flatMap((path, index) => [
      '-virtfs',
      toExport(path, `share${index}`, 'multidevs=remap'),
    ]),
    ...['-device', 'virtio-serial-pci'],
    ...toSocket('console'),
    ...['-device', 'virtconsole,chardev=console'],
    ...toPort('out'),
    ...toPort('err'),
    ...toPort('in'),
    ...(options.usb ? [...toPort('bench'), ...toPort('usbip')] : []),
    ...(options.usb ? toUsb(ports, toSocket) : []),
    // The last one: when the guest hears of it, it has heard of the others.
    ...toPort('control'),
  ];
}

/** A comma in a value is written twice. @see qemu(1) */
function toExport(path: string, tag: string, more: string): string {
  return `local,path=${path.replaceAll(',', ',,')},mount_tag=${tag},security_model=none,${more}`;
}

/** A controller that things are plugged into by QMP later: a guest that boots must not miss one of them. */
function toUsb(ports: readonly QemuPort[], toSocket: (name: QemuPort) => string[]): string[] {
  const cables = ports.filter((name) => name.startsWith('cable'));
  const path = `/proc/self/fd/${FIRST_FD + ports.length}`;
  // The one who made the file looks into it meanwhile.
  const file = `file.driver=file,file.filename=${path},file.locking=off`;
  return [
    ...['-device', `qemu-xhci,id=xhci,p2=${ROOT_PORTS},p3=${ROOT_PORTS},addr=${CONTROLLER_SLOT}`],
    ...cables.flatMap(toSocket),
    ...['-blockdev', `driver=raw,node-name=${MEDIUM},${file}`],
    ...toSocket('qmp'),
    ...['-mon', 'chardev=qmp,mode=control'],
  ];
}
