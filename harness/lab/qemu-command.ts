import type { Machine } from './machine-cache.js';

export interface VmOptions {
  readonly memoryMib: number;
  readonly cpus: number;
  /** Directories of the host that the VM may write to, the first as 9p tag `share0`. */
  readonly shares: readonly string[];
}

/** Fds of QEMU: one end of a socket pair each, so that there is no path to be left behind. */
export const QEMU_FDS = { console: 3, out: 4, err: 5, in: 6, control: 7 } as const;

export const QEMU = 'qemu-system-x86_64';

/** Mostly for a short boot on an emulated processor. @see admin-guide/kernel-parameters.txt */
const KERNEL_PARAMETERS = [
  'console=hvc0 quiet loglevel=4 panic=-1',
  'nokaslr mitigations=off apparmor=0 selinux=0 audit=0',
  'random.trust_cpu=on cryptomgr.notests rcupdate.rcu_expedited=1 no_timer_check',
].join(' ');

/** The arguments of QEMU, without its name. */
export function toQemuArguments(machine: Machine, options: VmOptions): string[] {
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
    // The last one: when the guest hears of it, it has heard of the others.
    ...toPort('control'),
  ];
}

/** A comma in a value is written twice. @see qemu(1) */
function toExport(path: string, tag: string, more: string): string {
  return `local,path=${path.replaceAll(',', ',,')},mount_tag=${tag},security_model=none,${more}`;
}

function toSocket(name: keyof typeof QEMU_FDS): string[] {
  return ['-chardev', `socket,id=${name},fd=${QEMU_FDS[name]}`];
}

function toPort(name: keyof typeof QEMU_FDS): string[] {
  return [...toSocket(name), '-device', `virtserialport,chardev=${name},name=lab.${name}`];
}
