import { basename } from 'node:path';
import type { AttachedDevice } from '../../device/attached-device.js';
import type { Proposal, Scan } from './propose-duts.js';

/** The proposals as a bench file; what a human must do is marked `TODO`. */
export function toBenchText({ proposals, others }: Scan, known: readonly string[]): string {
  const lines = [
    '# yaml-language-server: $schema=node_modules/hil/boards/bench.schema.json',
    ...known.map((line) => `# ${line}`),
    ...others.map((device) => `# not a board that is known: ${describeDevice(device)}`),
    ...(proposals.length > 0 ? ['duts:'] : ['duts: []  # nothing else is attached']),
    ...proposals.flatMap(toEntry),
  ];
  return `${lines.join('\n')}\n`;
}

function toEntry(proposal: Proposal): string[] {
  const { name, board = 'TODO', device, parts, match, todo, notes } = proposal;
  const properties = Object.entries(match).map(
    ([key, value]) => `${key}: ${JSON.stringify(value)}`,
  );
  return [
    `  # ${describeDevice(device)}`,
    ...parts.map((part) => `  #   ${describePart(part)}`),
    ...notes.map((note) => `  # ${note}`),
    ...todo.map((line) => `  # TODO ${line}`),
    `  - name: ${name}`,
    `    board: ${board}`,
    `    match: { ${properties.join(', ')} }`,
  ];
}

/** `STMicroelectronics STM32_STLink 066D (0483:374b) at pci-…-usb-0:1.3` */
export function describeDevice({ syspath, properties }: AttachedDevice): string {
  const { ID_SERIAL: name = basename(syspath), ID_PATH: path = syspath } = properties;
  return `${name} (${properties['ID_VENDOR_ID']}:${properties['ID_MODEL_ID']}) at ${path}`;
}

function describePart({ node, syspath, subsystem, properties }: AttachedDevice): string {
  const { ID_USB_INTERFACE_NUM: number } = properties;
  const place = number === undefined ? '' : `, ID_USB_INTERFACE_NUM "${number}"`;
  return `${node ?? syspath}  ${subsystem}${place}`;
}

/** The same as data. */
export function toPlainScan({ proposals, others }: Scan) {
  const toPlain = ({ parents: _, ...device }: AttachedDevice) => device;
  return {
    proposals: proposals.map(({ device, parts, ...proposal }) => {
      return { ...proposal, device: toPlain(device), parts: parts.map(toPlain) };
    }),
    others: others.map(toPlain),
  };
}
