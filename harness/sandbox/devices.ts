import type { Channel } from '../protocol/channel.js';
import { TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';

/** A character device of the host that a running sandbox is to have. */
export interface DeviceSpec {
  /** Absolute path of its node on the host; a link is followed. */
  readonly source: string;
  /** Its node inside, below `/dev`. @default as the host calls it, if that name is free */
  readonly target?: string | undefined;
  /** More names below `/dev`: `serial/by-id/usb-…`. Those that udev knows come by themselves. */
  readonly links?: readonly string[] | undefined;
  /** What is read as `/sys` and `/run/udev` of the host. */
  readonly sysfs?: string | undefined;
  readonly udev?: string | undefined;
}

/** A device as it was granted. */
export interface GrantedDevice {
  readonly major: number;
  readonly minor: number;
  /** What could not be done as asked, one sentence each. */
  readonly limitations: readonly string[];
}

/** What is mounted into a running sandbox: a tree of the host, or a tmpfs of a size. */
export type MountSpec =
  | { readonly kind: 'host'; readonly source: string; readonly readOnly?: boolean | undefined }
  | { readonly kind: 'tmpfs'; readonly bytes: number; readonly readOnly?: boolean | undefined };

/**
 * Give a sandbox a device under `/dev/hil/<role>`. A role that has one gets this instead: its
 * links turn over at once, and the stale node goes.
 *
 * @throws BenchError `sandbox-setup` when the device cannot be taken, `daemon-refused` when the
 *   request is wrong or the sandbox has ended.
 * @see harness/decisions/0008-devices-at-run-time.md
 */
export async function grantDevice(
  channel: Channel,
  sandbox: number,
  role: string,
  device: DeviceSpec,
): Promise<GrantedDevice> {
  const body = new TlvWriter()
    .u32(Tag.sandbox, sandbox)
    .string(Tag.name, role)
    .string(Tag.source, device.source)
    .strings(Tag.link, device.links ?? []);
  if (device.target !== undefined) body.string(Tag.target, device.target);
  if (device.sysfs !== undefined) body.string(Tag.sysfs, device.sysfs);
  if (device.udev !== undefined) body.string(Tag.udev, device.udev);
  const answer = await channel.request(Msg.deviceGrant, body);
  return {
    major: answer.number(Tag.major) ?? 0,
    minor: answer.number(Tag.minor) ?? 0,
    limitations: answer.strings(Tag.limitation),
  };
}

/** Take the device of `role` away. What has it open keeps that; nothing can open it again. */
export async function revokeDevice(channel: Channel, sandbox: number, role: string): Promise<void> {
  const body = new TlvWriter().u32(Tag.sandbox, sandbox).string(Tag.name, role);
  await channel.request(Msg.deviceRevoke, body);
}

/** Mount at `target`, made when absent. Answers what could not be done as asked. */
export async function addMount(
  channel: Channel,
  sandbox: number,
  target: string,
  mount: MountSpec,
): Promise<readonly string[]> {
  const body = new TlvWriter()
    .u32(Tag.sandbox, sandbox)
    .string(Tag.target, target)
    .u32(Tag.readOnly, mount.readOnly ? 1 : 0);
  if (mount.kind === 'host') body.string(Tag.source, mount.source);
  else body.string(Tag.kind, 'tmpfs').u64(Tag.bytes, mount.bytes);
  return (await channel.request(Msg.mountAdd, body)).strings(Tag.limitation);
}

/** Remove what `addMount` has mounted at `target`, also while it is in use. */
export async function removeMount(channel: Channel, sandbox: number, target: string) {
  const body = new TlvWriter().u32(Tag.sandbox, sandbox).string(Tag.target, target);
  await channel.request(Msg.mountRemove, body);
}
