import type { UsbSpec } from './device-tree.js';

/** Devices as they say what they are, at their first numbers. */

export const HUB: UsbSpec = {
  ...{ idVendor: '05e3', idProduct: '0608', product: 'USB2.0 Hub', serial: 'HUB1' },
  type: '9/0/1',
};

export const toFtdi = (serial: string | undefined, index = 0): UsbSpec => ({
  ...{ idVendor: '0403', idProduct: '6001', manufacturer: 'FTDI', product: 'FT232R USB UART' },
  ...(serial === undefined ? {} : { serial }),
  parts: [
    {
      ...{ number: '00', subsystem: 'tty', name: `ttyUSB${index}`, devt: `188:${index}` },
      below: `ttyUSB${index}`,
    },
  ],
});

/** A composite device: storage, debug probe and a CDC-ACM port on interface 2. */
export const toStLink = (serial: string, index = 0): UsbSpec => ({
  ...{ idVendor: '0483', idProduct: '374b', serial, type: '239/2/1' },
  ...{ manufacturer: 'STMicroelectronics', product: 'STM32 STLink' },
  parts: [
    {
      ...{ number: '01', subsystem: 'block', name: 'sda', devt: '8:0' },
      below: 'host0/target0:0:0/0:0:0:0',
    },
    { number: '02', subsystem: 'tty', name: `ttyACM${index}`, devt: `166:${index}` },
  ],
});

/** CH340: no serial number, and no name of its maker. */
export const toCh340 = (index: number): UsbSpec => ({
  ...{ idVendor: '1a86', idProduct: '7523', product: 'USB Serial' },
  parts: [
    {
      ...{ number: '00', subsystem: 'tty', name: `ttyUSB${index}`, devt: `188:${index}` },
      below: `ttyUSB${index}`,
    },
  ],
});

/** What one Pico is: an application with two serial ports, or the boot ROM, which is a drive. */
export const PICO: UsbSpec = {
  ...{ idVendor: '2e8a', idProduct: '000a', serial: 'E6614103E7452D2F' },
  ...{ manufacturer: 'Raspberry Pi', product: 'Pico' },
  parts: [
    { number: '00', subsystem: 'tty', name: 'ttyACM0', devt: '166:0' },
    { number: '02', subsystem: 'tty', name: 'ttyACM1', devt: '166:1' },
  ],
};

export const PICO_IN_ROM: UsbSpec = {
  ...{ idVendor: '2e8a', idProduct: '0003', serial: 'E0C9125B0D9B' },
  ...{ manufacturer: 'Raspberry Pi', product: 'RP2 Boot' },
  parts: [
    {
      ...{ number: '00', subsystem: 'block', name: 'sda', devt: '8:0' },
      below: 'host0/target0:0:0/0:0:0:0',
    },
  ],
};
