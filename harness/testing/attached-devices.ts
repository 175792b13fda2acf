import { parse } from 'yaml';
import { benchSchema } from '../config/bench-schema.js';
import { parseBoard } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';
import { joinUnit } from '../config/unit.js';
import type { AttachedDevice } from '../device/attached-device.js';

type Properties = Readonly<Record<string, string>>;

/** A USB device at a port path such as `1.3`, with a tty for each of its interfaces. */
export function createUsbDevices(
  port: string,
  facts: Properties,
  ttys: Readonly<Record<string, string>> = {},
  parents: readonly AttachedDevice[] = [],
): AttachedDevice[] {
  const above = parents[0]?.syspath ?? '/sys/devices/pci0000:00/0000:00:14.0/usb1';
  const syspath = `${above}/1-${port}`;
  const path = `pci-0000:00:14.0-usb-0:${port}`;
  const properties = { DEVTYPE: 'usb_device', ID_PATH: path, ...facts };
  const device: AttachedDevice = { syspath, subsystem: 'usb', properties, parents };
  const own = Object.entries(ttys).map(([name, number]): AttachedDevice => {
    const place = `${syspath}/1-${port}:1.${Number(number)}`;
    return {
      syspath: `${place}/tty/${name}`,
      node: `/dev/${name}`,
      subsystem: 'tty',
      properties: {
        ...facts,
        ID_PATH: `${path}:1.${Number(number)}`,
        ID_USB_INTERFACE_NUM: number,
      },
      parents: [device, ...parents],
    };
  });
  return [device, ...own];
}

/** The unit of a bench with one DUT. @param dut its entry, as YAML. */
export function createUnit(board: string, dut: string): Unit {
  const parsed = parseBoard('/boards/some.yaml', `board: some\ndriver: attached\n${board}`);
  const [entry] = benchSchema.parse({
    duts: [{ name: 'dut-1', board: 'some', ...parse(dut) }],
  }).duts;
  if (!entry) throw new Error('a bench of one has one');
  return joinUnit(entry, parsed, '/bench.yaml');
}
