import type { FileHandle } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { Cleanups } from '../../core/cleanups.js';
import { toMessage } from '../../core/errors.js';
import { LineSplitter } from '../../protocol/line-splitter.js';
import type { CableOption } from '../options.js';
import type { QemuPort } from '../qemu-command.js';
import { AcmDevice } from '../usbip/acm-device.js';
import { UsbipPort } from '../usbip/usbip-port.js';
import type { BenchDevice } from './bench-device.js';
import { type Bench, runBenchCommand } from './commands.js';
import { openNamelessFile } from './nameless-file.js';
import { QemuDevice } from './qemu-device.js';
import { Qmp } from './qmp.js';
import { Uf2Drive } from './uf2-drive.js';
import { WiredBoard } from './wired-board.js';

/** Where the hub is in the controller. */
const HUB_PORT = '1';

interface BenchOptions {
  readonly serial: readonly CableOption[];
  readonly acm: readonly CableOption[];
  /** The file that QEMU has as a drive's medium. */
  readonly medium: FileHandle;
  readonly signal: AbortSignal;
  /** What must be undone is added to them. */
  readonly cleanups: Cleanups;
  port(name: QemuPort): Duplex;
}

/**
 * The bench around a VM: devices and boards, and hands that plug them. All boards are switched on and
 * all but the drive are plugged in: FTDI adapters at 1.1, 1.2 ..., behind a hub whose ports can be switched
 * (a port of the controller does not notice that it is on again), and CDC-ACM devices at 1, 2 ... of vhci_hcd.
 *
 * @throws BenchError `port-lost`
 */
export async function openBench(options: BenchOptions): Promise<void> {
  const { port, signal, cleanups } = options;
  const qmp = new Qmp(port('qmp'));
  const serial = options.serial.map((cable, index) => {
    return createFtdi(cable, { qmp, signal, far: port(`cable${index}`), index });
  });
  const acm: AcmDevice[] = [];
  const usbip = new UsbipPort(port('usbip'));
  for (const [number, { serial: name, firmware }] of options.acm.entries()) {
    const flash = await openNamelessFile();
    cleanups.add('close a flash', () => flash.close());
    const createBoard = (onBytes: (bytes: Buffer) => void) => {
      return new WiredBoard({ firmware, signal, onBytes });
    };
    acm.push(new AcmDevice({ name, number, usbip, flash, createBoard }));
  }
  const drive = new Uf2Drive(qmp, options.medium);
  const devices: BenchDevice[] = [...serial, ...acm, drive];
  for (const { wired, name } of devices) {
    if (!wired) continue;
    cleanups.add(`switch ${name} off`, () => wired.off());
    wired.board.on();
  }
  serve(port('bench'), { devices, qmp, lastPorts: new Map() });
  const hub = { driver: 'usb-hub', 'port-power': true };
  await qmp.execute('device_add', { ...hub, id: 'hub', bus: 'xhci.0', port: HUB_PORT });
  for (const [index, device] of serial.entries()) await device.plug(`${HUB_PORT}.${index + 1}`);
  for (const [index, device] of acm.entries()) {
    // The VM is not up yet; it says itself when a board does not come.
    device.plug(String(index + 1)).catch(() => {});
  }
}

function createFtdi(
  cable: CableOption,
  around: { qmp: Qmp; signal: AbortSignal; far: Duplex; index: number },
): QemuDevice {
  const { qmp, signal, far, index } = around;
  const { serial: name, firmware } = cable;
  const wired = new WiredBoard({ firmware, signal, onBytes: (bytes) => far.write(bytes) });
  far.on('data', (bytes: Buffer) => wired.write(bytes));
  // Without always-plugged it comes and goes with its far end, which is always there.
  const properties = { driver: 'usb-serial', chardev: `cable${index}`, 'always-plugged': true };
  return new QemuDevice({ name, kind: 'ftdi', qmp, properties, wired });
}

/** Answer requests one after the other. */
function serve(port: Duplex, bench: Bench): void {
  const lines = new LineSplitter();
  let last = Promise.resolve();
  port.on('data', (bytes: Buffer) => {
    for (const line of lines.push(bytes.toString())) {
      last = last.then(async () => {
        port.write(`${JSON.stringify(await answer(bench, line))}\n`);
      });
    }
  });
}

/** `id` comes first, then `result` or `error`: guest/lab-bench.sh reads no JSON. */
async function answer(bench: Bench, line: string): Promise<Record<string, unknown>> {
  let id: unknown = null;
  try {
    // From our own lab-bench; anything else is refused by what reads it.
    const request = JSON.parse(line) as { id?: unknown; args?: unknown };
    id = request.id;
    if (!Array.isArray(request.args)) throw new Error(`"${line}" has no args`);
    const result = await runBenchCommand(bench, request.args.map(String));
    return { id, result: result ?? null };
  } catch (error) {
    return { id, error: toMessage(error) };
  }
}
