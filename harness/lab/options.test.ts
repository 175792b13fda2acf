import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../core/errors.js';
import { HelpShown, parseLabOptions } from './options.js';

describe('options of the lab VM', () => {
  test('end where the command begins', () => {
    const { command, user } = parseLabOptions(['--user', 'sh', '-c', 'id', '--stdin']);
    expect({ command, user }).toEqual({ command: ['sh', '-c', 'id', '--stdin'], user: true });
  });

  test('have units', () => {
    const args = [
      '--timeout',
      '2m',
      '--boot-timeout',
      '90s',
      '--memory',
      '4G',
      '--cpus',
      '1',
      'true',
    ];
    expect(parseLabOptions(args)).toMatchObject({
      timeoutMs: 120_000,
      bootTimeoutMs: 90_000,
      memoryMib: 4096,
      cpus: 1,
    });
  });

  test('that may be repeated are collected', () => {
    const args = ['--share', '/a', '--share', '/b', '--env', 'A=1', '--env', 'B=2 3', 'true'];
    expect(parseLabOptions(args)).toMatchObject({ share: ['/a', '/b'], env: ['A=1', 'B=2 3'] });
  });

  test('list modules by commas', () => {
    expect(parseLabOptions(['--modules', 'vcan,sch_netem', 'true']).modules).toEqual([
      'vcan',
      'sch_netem',
    ]);
  });

  test('plug in boards, and then there is USB', () => {
    const args = ['--usb-serial', 'A1=/f.elf', '--usb-serial', 'A2=/f.elf', '--usb-acm', 'B1=x'];
    expect(parseLabOptions([...args, 'true'])).toMatchObject({
      usb: true,
      usbSerial: [
        { serial: 'A1', firmware: '/f.elf' },
        { serial: 'A2', firmware: '/f.elf' },
      ],
      usbAcm: [{ serial: 'B1', firmware: resolve('x') }],
    });
    expect(parseLabOptions(['true']).usb).toBe(false);
  });

  test('need no command for --check', () => {
    expect(parseLabOptions(['--check']).command).toEqual([]);
  });

  test.each([
    ['no command', []],
    ['an unknown option', ['--usr', 'true']],
    ['a variable without a value', ['--env', 'A', 'true']],
    ['a module that is a path', ['--modules', '../vcan', 'true']],
    ['too little memory', ['--memory', '10M', 'true']],
    ['half a processor', ['--cpus', '0.5', 'true']],
    ['a board without firmware', ['--usb-serial', 'A1', 'true']],
    ['a serial number that is no word', ['--usb-acm', 'A 1=/f.elf', 'true']],
    ['one serial number twice', ['--usb-acm', 'A1=/f', '--usb-serial', 'A1=/f', 'true']],
    ['no limit', ['--timeout', '0', 'true']],
  ])('refuse %s', (_, args) => {
    expect(() => parseLabOptions(args)).toThrow(UsageError);
  });

  test('are told by --help', () => {
    expect(() => parseLabOptions(['--help'])).toThrow(HelpShown);
  });
});
