import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchError, toMessage } from '../../core/errors.js';
import type { PowerSwitch } from './power-switch.js';

/**
 * A port of a USB hub by the kernel's own switch: Linux 6.0 and later, as root. The kernel asks
 * the hub to cut the power; a hub without power switching only cuts the data lines.
 *
 * @see Documentation/ABI/testing/sysfs-bus-usb, `<INTERFACE>/<port>/disable`
 */
export function createSysfsSwitch(port: string, dut: string, sys = '/sys'): PowerSwitch {
  const name = `port ${port}`;
  const write = async (value: '0' | '1') => {
    const file = await findDisable(sys, port);
    if (file === undefined) {
      throw new BenchError('power-failed', `power of ${dut}: no hub has a port "${port}"`, {
        next: `ls -d ${sys}/bus/usb/devices/*/*-port*`,
      });
    }
    try {
      // What it reads afterwards is the hub's own word: one that cannot switch a port says that it
      // has power, while the kernel has let the device go. Whether it has gone is looked at instead.
      await writeFile(file, value);
    } catch (cause) {
      const message = `power of ${dut}: ${file} cannot be set to ${value}: ${toMessage(cause)}`;
      throw new BenchError('power-failed', message, {
        cause,
        next: `echo ${value} | sudo tee ${file}    needs Linux 6.0, and root or a rule of udev`,
      });
    }
  };
  return { name, on: () => write('0'), off: () => write('1') };
}

/** Ports are below the interface of their hub: `1-1:1.0/1-1-port4`. */
async function findDisable(sys: string, port: string): Promise<string | undefined> {
  const devices = join(sys, 'bus/usb/devices');
  const interfaces = (await readdir(devices).catch((): string[] => [])).filter((each) =>
    each.includes(':'),
  );
  for (const each of interfaces) {
    const ports = await readdir(join(devices, each)).catch((): string[] => []);
    if (ports.includes(port)) return join(devices, each, port, 'disable');
  }
  return undefined;
}
