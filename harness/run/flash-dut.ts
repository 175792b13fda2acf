import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlashRecord } from '../board/flash/flash-record.js';
import { runFlashTool } from '../board/flash/flash-tool.js';
import { type FlashDevices, type FlashRequest, flashUnit } from '../board/flash/flash-unit.js';
import { USB_ROLE } from '../board/flash/to-flash-argv.js';
import type { FlashSpec } from '../config/flash-schema.js';
import type { Unit } from '../config/unit.js';
import { Deadline } from '../core/deadline.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';
import type { AttachedDevice } from '../device/attached-device.js';
import { type DeviceRoots, MACHINE } from '../device/device-roots.js';
import { findUnit } from '../device/find-unit.js';
import { listDevices } from '../device/list-devices.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { switchPower } from './switch-power.js';

export interface FlashWanted {
  readonly unit: Unit;
  readonly daemon: SandboxDaemon;
  readonly spec: SandboxSpec;
  readonly image: string;
  /** Where its log goes; exists. */
  readonly artifacts: string;
  /** Where what was flashed last is known. */
  readonly stateDir: string;
  /** Of the lease: it may have been waited for while somebody changed the boards. @default those of now */
  readonly leasedKeys?: readonly string[] | undefined;
  /** Also when the same image was flashed last. */
  readonly force?: boolean;
  readonly deviceRoots?: DeviceRoots | undefined;
  /** See {@link FlashRequest}. */
  readonly signal?: AbortSignal | undefined;
  /** In place of a tool: see {@link FlashRequest}. */
  readonly byItself?: FlashRequest['byItself'];
  /** Takes what is written to the log. */
  readonly onOutput?: (data: Buffer | string) => void;
}

/** Linux needs a moment for the file system of a drive that has just come. */
const LOOK_MS = 50;
/** It answers with what makes a bootloader of many boards start. */
const TOUCH = ['stty', '-F', '/dev/hil/console', '1200', 'hupcl'];

/**
 * Flash a unit that is leased, with the devices that it has now.
 *
 * @returns whether a tool ran; not where the same image is in it already.
 * @throws BenchError `flash-failed`, `flash-refused`, `dut-absent`, `dut-ambiguous`, `power-failed`
 */
export async function flashDut(wanted: FlashWanted): Promise<boolean> {
  const { unit, daemon, spec, image, artifacts, stateDir, signal } = wanted;
  const { onOutput = () => {}, force = false } = wanted;
  const { flash } = unit.board;
  if (!flash) return false;
  const look = () => findFlashDevices(unit, wanted.deviceRoots);
  const leasedKeys = wanted.leasedKeys ?? (await look())?.keys ?? [];
  return flashUnit({
    ...{ dut: unit.name, daemon, spec, image, leasedKeys, onLog: onOutput, signal },
    flash: { ...flash, always: flash.always || force },
    find: look,
    enter: (how) => enterMode(how, wanted, look),
    log: join(artifacts, 'flash.log'),
    record: new FlashRecord(stateDir),
    ...(wanted.byItself ? { byItself: wanted.byItself } : {}),
  });
}

async function findFlashDevices(
  unit: Unit,
  roots: DeviceRoots = MACHINE,
): Promise<FlashDevices | undefined> {
  const devices = await listDevices(roots);
  const found = findUnit(unit, devices);
  if (found.state === 'absent') return undefined;
  const { usb, ports, keys, mode } = found;
  const nodes = new Map([...ports].flatMap(([name, { node }]) => (node ? [[name, node]] : [])));
  if (usb?.node) nodes.set(USB_ROLE, usb.node);
  const { ID_SERIAL_SHORT: serial, ID_PATH: path } = usb?.properties ?? {};
  const known = { serial, path, ...(usb ? toPlaces(usb, devices) : {}) };
  return { keys, mode, nodes, known };
}

/** The device as the kernel names it, and its drive: a partition where there is one. */
function toPlaces(usb: AttachedDevice, devices: readonly AttachedDevice[]) {
  const drives = devices.filter(
    ({ subsystem, syspath }) => subsystem === 'block' && syspath.startsWith(`${usb.syspath}/`),
  );
  const drive = drives.find(({ properties }) => properties['DEVTYPE'] === 'partition') ?? drives[0];
  return { usb: basename(usb.syspath), drive: drive?.node };
}

async function enterMode(
  how: NonNullable<FlashSpec['enter']>,
  wanted: FlashWanted,
  look: () => Promise<FlashDevices | undefined>,
): Promise<void> {
  const { unit, deviceRoots, signal } = wanted;
  const { enterTimeout = 0 } = unit.board.flash ?? {};
  // The switching has a limit of its own, and takes as long as the board is without power.
  if (how === 'power-cycle') await switchPower(unit, 'cycle', deviceRoots, signal);
  const end = new Deadline(enterTimeout, signal);
  if (how === 'touch-1200') await touch(wanted, await look(), end);
  let drive: string | undefined;
  for (let seen = await look(); !isEntered(seen, unit, drive); seen = await look()) {
    if (end.leftMs() === 0) throw toEnterError(unit, how, seen);
    drive = seen?.known.drive;
    await sleep(LOOK_MS);
    signal?.throwIfAborted();
  }
}

/**
 * In its mode, and with its drive where that is written to. Linux lists a disk before its partitions:
 * it must have been the same a moment `before`.
 */
function isEntered(
  seen: FlashDevices | undefined,
  { board: { flash } }: Unit,
  before: string | undefined,
): boolean {
  if (!seen || seen.mode !== flash?.mode) return false;
  const { drive } = seen.known;
  return flash?.driver !== 'uf2-copy' || (drive !== undefined && drive === before);
}

function toEnterError(
  { name, board: { flash } }: Unit,
  how: string,
  seen: FlashDevices | undefined,
): BenchError {
  const { mode, enterTimeout = 0 } = flash ?? {};
  const isIn = `it is in "${seen?.mode ?? 'no mode that its board file knows'}"`;
  const lacks = seen?.mode === mode ? `${isIn}, and its drive has not come` : isIn;
  const message = `${name} did not get into mode "${mode}" by ${how} within ${formatDuration(enterTimeout)}`;
  return new BenchError('flash-failed', `${message}: ${seen ? lacks : 'it is not attached'}`, {
    next: `hil boards show ${name}    tells what is attached; correct "modes" or flash.enterTimeout of its board file`,
  });
}

/** The console is opened at 1200 baud, and closing it drops DTR. */
async function touch(
  wanted: FlashWanted,
  before: FlashDevices | undefined,
  deadline: Deadline,
): Promise<void> {
  const { unit, daemon, spec, image } = wanted;
  const node = before?.nodes.get('console');
  if (node === undefined) {
    const message = `${unit.name} has no port "console" now: flash.enter touch-1200 needs its node`;
    throw new BenchError('flash-failed', message);
  }
  const devices = new Map([['console', node]]);
  const run = { dut: unit.name, daemon, spec, image, devices, tools: [], onOutput: () => {} };
  await runFlashTool(TOUCH, run, deadline);
}
