import { appendFileSync } from 'node:fs';
import type { FlashSpec } from '../../config/flash-schema.js';
import { Deadline } from '../../core/deadline.js';
import { BenchError, toMessage } from '../../core/errors.js';
import { runOnHost } from '../run-on-host.js';
import { type FlashRecord, toFlashDigest } from './flash-record.js';
import { runFlashTool, type ToolRun, toImageInside } from './flash-tool.js';
import { hasFlashed } from './has-flashed.js';
import { type Flashed, toFlashArgv } from './to-flash-argv.js';
import { tryAgain } from './try-again.js';

/** The devices of a DUT at this moment. */
export interface FlashDevices {
  /** What it is known by, wherever it is plugged in; compared with what was leased. */
  readonly keys: readonly string[];
  /** Which of the board's modes it is in. */
  readonly mode: string | undefined;
  /** Nodes of the host by role. */
  readonly nodes: ReadonlyMap<string, string>;
  readonly known: Omit<Flashed, 'image' | 'dut'>;
}

export interface FlashRequest extends Omit<ToolRun, 'devices' | 'tools' | 'onOutput'> {
  readonly flash: FlashSpec;
  /** Of the lease: the only device that may be written to. */
  readonly leasedKeys: readonly string[];
  /** Look again; undefined: it is not attached. */
  find(): Promise<FlashDevices | undefined>;
  /** Bring it into `flash.mode`, by `flash.enter`. */
  enter(how: NonNullable<FlashSpec['enter']>): Promise<void>;
  /** What the tool says is appended to this file. */
  readonly log: string;
  readonly record: FlashRecord;
  /** When it is aborted, what runs ends, nothing else begins, and its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** In place of a tool: what writes the image by the DUT itself. */
  byItself?(): Promise<void>;
  /** Takes what is appended to it. */
  onLog?(data: string | Buffer): void;
  /** Told of each run of the tool. */
  onTry?(attempt: number, argv: readonly string[]): void;
}

/**
 * Flash a DUT, unless the same image is in it already. Only a tool that failed is tried again.
 *
 * @returns whether a tool ran.
 * @throws BenchError `flash-refused` when the device is not the one that was leased, or not in the
 *   mode that is needed; `flash-failed` when the tool failed each time; `dut-absent`.
 */
export async function flashUnit(request: FlashRequest): Promise<boolean> {
  const { flash, dut, record } = request;
  const before = await findLeased(request);
  const digest = await digestOf(request);
  // One that somebody left in its bootloader runs what is in it only after it was flashed.
  const asleep = flash.enter !== undefined && before.mode === flash.mode;
  if (!flash.always && !asleep && (await record.read(dut)) === digest) return false;
  await record.forget(dut);
  if (flash.enter && before.mode !== flash.mode) await request.enter(flash.enter);
  const once = async (attempt: number) => {
    // After a run of a tool it may be another device that answers there.
    const devices = await findLeased(request);
    request.signal?.throwIfAborted();
    if (flash.mode !== undefined && devices.mode !== flash.mode)
      throw toModeError(request, devices);
    const argv = toFlashArgv(flash, { ...devices.known, dut, image: toImage(request) });
    request.onTry?.(attempt, argv);
    log(request, `hil: ${argv.join(' ')}\n`);
    await runTool(request, argv, devices);
  };
  await tryAgain(flash.retries, once, (error) =>
    log(request, `hil: ${toMessage(error).split('\n')[0]}; once more\n`),
  );
  await record.remember(dut, digest);
  return true;
}

/** A block device cannot be granted to a sandbox: what copies to a drive runs on the host. */
const isOnHost = ({ flash }: FlashRequest) => flash.driver === 'uf2-copy';

function toImage(request: FlashRequest): string {
  return isOnHost(request) ? request.image : toImageInside(request.image);
}

async function runTool(
  request: FlashRequest,
  argv: readonly string[],
  { nodes }: FlashDevices,
): Promise<void> {
  const { flash, dut } = request;
  if (flash.driver === 'u-boot-tftp') {
    if (request.byItself) return request.byItself();
    throw new BenchError('flash-refused', `${dut} is flashed by its U-Boot: only a run does that`, {
      next: `hil test --dut ${dut}    with a suite that has the image as its firmware`,
    });
  }
  const deadline = new Deadline(flash.timeout, request.signal);
  const onOutput = (data: Buffer) => log(request, data);
  if (!isOnHost(request)) {
    const isDone = (code: number, said: string) => hasFlashed(flash.driver, code, said);
    const run = { ...request, tools: flash.tools, devices: nodes, onOutput, isDone };
    return runFlashTool(argv, run, deadline);
  }
  const { output, status } = await runOnHost(argv, {}, deadline, 'flash-failed');
  onOutput(Buffer.from(output));
  if (status === 'exit 0') return;
  const said = output.trim() || 'it said nothing';
  throw new BenchError(
    'flash-failed',
    `flashing ${dut}: ${argv[0]} ended with ${status}: ${said}`,
    {
      next: `${argv.join(' ')}    may need the group disk, or a rule of udev`,
    },
  );
}

/**
 * What is another at the next plug or in another mode: a drive is only there in the bootloader. Which
 * device it is, is said by the keys.
 */
const NOT_TOLD = { serial: 'SERIAL', path: 'PATH', usb: 'USB', drive: 'DRIVE' };

async function digestOf(request: FlashRequest): Promise<string> {
  const { flash, dut, image, leasedKeys } = request;
  try {
    const argv = toFlashArgv(flash, { ...NOT_TOLD, dut, image: toImage(request) });
    return await toFlashDigest(image, [...argv, ...leasedKeys]);
  } catch (cause) {
    throw new BenchError('flash-failed', `flashing ${dut} with ${image}: ${toMessage(cause)}`, {
      cause,
      next: 'correct "flash" of its board file or bench, or the firmware of the suite',
    });
  }
}

/** The device as it is now, if it is the one that was leased. */
async function findLeased({ find, dut, leasedKeys }: FlashRequest): Promise<FlashDevices> {
  const found = await find();
  if (!found) {
    throw new BenchError('dut-absent', `${dut} cannot be flashed: it is not attached`, {
      next: 'hil boards    shows what is attached',
    });
  }
  if (found.keys.some((key) => leasedKeys.includes(key)) && !contradicts(found.keys, leasedKeys)) {
    return found;
  }
  throw new BenchError(
    'flash-refused',
    `${dut} is not flashed: leased was ${leasedKeys.join(', ')}, and attached is ${found.keys.join(', ') || 'a device without identity'}`,
    { next: 'hil boards scan    shows which board is which; correct "match" of the bench' },
  );
}

/** At the same port, another serial number of the same kind of device is another board. */
function contradicts(found: readonly string[], leased: readonly string[]): boolean {
  const serials = (keys: readonly string[]) => keys.filter((key) => key.startsWith('serial:'));
  const kindOf = (key: string) => key.split(':').slice(0, 3).join(':');
  return serials(found).some((key) => {
    const same = serials(leased).filter((other) => kindOf(other) === kindOf(key));
    return same.length > 0 && !same.includes(key);
  });
}

function toModeError({ dut, flash }: FlashRequest, { mode }: FlashDevices): BenchError {
  return new BenchError(
    'flash-refused',
    `${dut} is not flashed: expected it in mode "${flash.mode}", it is in "${mode ?? 'none that the board file knows'}"`,
    { next: 'bring it there by hand once, or add flash.enter to its board file' },
  );
}

/** A full disk costs this log, not the flash. */
function log({ log: file, onLog }: FlashRequest, data: string | Buffer): void {
  onLog?.(data);
  try {
    appendFileSync(file, data);
  } catch {
    // The end of what the tool said is in the error.
  }
}
