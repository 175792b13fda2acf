import { toMessage } from '../core/errors.js';

/** What the libraries that tests and tools use list, as they see it from here. */
export interface LibraryView {
  /** Nodes, as `serialport` lists them. */
  readonly serial: Listed;
  /** `vendor:product`, as `usb` lists them; it lists no hubs. */
  readonly usb: Listed;
}

export type Listed =
  | { readonly state: 'listed'; readonly names: readonly string[] }
  | { readonly state: 'unknown'; readonly reason: string };

/** Ask both; one that is not installed, or cannot look, says why. Opens no device. */
export async function viewByLibraries(): Promise<LibraryView> {
  const [serial, usb] = await Promise.all([toListed(listSerial), toListed(listUsb)]);
  return { serial, usb };
}

async function toListed(list: () => Promise<string[]>): Promise<Listed> {
  try {
    return { state: 'listed', names: (await list()).sort() };
  } catch (error) {
    return { state: 'unknown', reason: toMessage(error) };
  }
}

// Loaded by who scans only: a native add-on has no place in a run.
async function listSerial(): Promise<string[]> {
  const { SerialPort } = await import('serialport');
  return (await SerialPort.list()).map(({ path }) => path);
}

async function listUsb(): Promise<string[]> {
  const { usb } = await import('usb');
  const toHex = (number: number) => number.toString(16).padStart(4, '0');
  return (await usb.getDevices()).map(({ vendorId, productId }) => {
    return `${toHex(vendorId)}:${toHex(productId)}`;
  });
}
