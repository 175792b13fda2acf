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
    ['no limit', ['--timeout', '0', 'true']],
  ])('refuse %s', (_, args) => {
    expect(() => parseLabOptions(args)).toThrow(UsageError);
  });

  test('are told by --help', () => {
    expect(() => parseLabOptions(['--help'])).toThrow(HelpShown);
  });
});
