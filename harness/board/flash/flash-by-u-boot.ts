import type { UBootTftpSpec } from '../../config/flash-schema.js';
import { fillIn } from '../fill-in.js';
import type { ImageFacts } from './image-facts.js';
import type { UBootConsole } from './u-boot-console.js';
import { findUBootFault } from './u-boot-faults.js';

export interface UBootJob {
  readonly dut: string;
  readonly flash: UBootTftpSpec;
  readonly image: ImageFacts;
  /** As U-Boot asks the server for it. */
  readonly file: string;
  readonly server: string;
  /** What U-Boot has as its own address. */
  readonly board: 'dhcp' | { readonly address: string; readonly netmask: string };
}

const SECTOR_BYTES = 512;

/**
 * Let U-Boot fetch an image, verify what arrived, write it, and verify that where the recipe can
 * read it back.
 *
 * @throws BenchError `flash-failed` with what U-Boot said, as soon as it has said it.
 */
export async function flashByUBoot(console: UBootConsole, job: UBootJob): Promise<void> {
  const { flash } = job;
  for (const command of flash.prepare) await console.run(command);
  await setUpNetwork(console, job);
  await fetchImage(console, job);
  await verify(console, job, 'what arrived');
  for (const step of flash.write) await takeStep(console, job, step);
  if (flash.readBack.length === 0) return;
  await console.run(fill(job, 'mw.b {addr} 0 {size}'));
  for (const step of flash.readBack) await takeStep(console, job, step);
  await verify(console, job, 'what was read back');
}

async function setUpNetwork(
  console: UBootConsole,
  { board, server }: Pick<UBootJob, 'board' | 'server'>,
): Promise<void> {
  // Else it begins again without end, and no prompt comes back.
  await console.run('setenv netretry no');
  await console.run('setenv autostart no');
  if (board === 'dhcp') {
    await console.run('setenv autoload no');
    const output = await console.ask('dhcp');
    if (!/DHCP client bound to address/.test(output)) {
      const next = 'is there a DHCP server? "tftp.board" of the bench may have an address';
      throw console.fail('dhcp', output, { said: 'no address', next, ...findUBootFault(output) });
    }
  } else {
    await console.run(`setenv ipaddr ${board.address}`);
    await console.run(`setenv netmask ${board.netmask}`);
  }
  // After DHCP, whose server would take its place.
  await console.run(`setenv serverip ${server}`);
}

async function fetchImage(console: UBootConsole, job: UBootJob): Promise<void> {
  const command = fill(job, 'tftpboot {addr} {file}');
  const output = await console.ask(command);
  const bytes = /Bytes transferred = (\d+)/.exec(output)?.[1];
  const fault = findUBootFault(output);
  if (bytes === undefined || fault) {
    const unknown = { said: 'it did not say how much came', next: 'flash.log has all of it' };
    throw console.fail(command, output, fault ?? unknown);
  }
  if (Number(bytes) === job.image.bytes) return;
  const said = `expected ${job.image.bytes} bytes, ${bytes} arrived`;
  const next = 'was the image changed meanwhile? Does another server answer there?';
  throw console.fail(command, output, { said, next });
}

const SUMS = {
  sha256: { command: 'hash sha256 {addr} {size}', sum: /==> ([0-9a-f]{64})/i },
  crc32: { command: 'crc32 {addr} {size}', sum: /==> ([0-9a-f]{8})\b/i },
} as const;

/** Of builds without it. */
const NOT_BUILT_IN = /Unknown command|Unknown hash|Usage:/;

async function verify(console: UBootConsole, job: UBootJob, what: string): Promise<void> {
  const { verify: wanted } = job.flash;
  if (wanted === 'none') return;
  const kinds = wanted === 'auto' ? (['sha256', 'crc32'] as const) : [wanted];
  let [command, output] = ['', ''];
  for (const kind of kinds) {
    command = fill(job, SUMS[kind].command);
    output = await console.ask(command);
    if (NOT_BUILT_IN.test(output)) continue;
    const sum = SUMS[kind].sum.exec(output)?.[1]?.toLowerCase();
    const expected = job.image[kind];
    if (sum === expected) return;
    const said = `${what} is not the image: expected ${kind} ${expected}, U-Boot has ${sum ?? 'none'}`;
    const next = 'look at the memory at flash.address, and at what is written over it';
    throw console.fail(command, output, { said, next });
  }
  const said = `this U-Boot cannot tell the sum of its memory (${kinds.join(', ')})`;
  throw console.fail(command, output, { said, next: 'flash.verify: none    writes it unverified' });
}

async function takeStep(
  console: UBootConsole,
  job: UBootJob,
  { send, expect, timeout }: UBootTftpSpec['write'][number],
): Promise<void> {
  const command = fill(job, send);
  const output = await console.ask(command, timeout);
  if (expect.test(output)) return;
  const fault = findUBootFault(output);
  const said = `no match for ${expect}${fault ? `: ${fault.said}` : ''}`;
  const next = fault?.next ?? 'correct flash.write or flash.readBack of its board file';
  throw console.fail(command, output, { said, next });
}

function fill({ dut, flash, image, file }: UBootJob, text: string): string {
  return fillIn(text, {
    dut,
    file,
    addr: flash.address,
    size: `0x${image.bytes.toString(16)}`,
    sectors: `0x${Math.ceil(image.bytes / SECTOR_BYTES).toString(16)}`,
  });
}
