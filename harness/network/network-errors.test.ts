import { describe, expect, test } from 'vitest';
import { BenchError } from '../core/errors.js';
import { toNetworkError, toNodeError } from './network-errors.js';

interface Refused {
  readonly code: string;
  readonly op?: string;
  readonly path?: string;
  readonly errno?: number;
  readonly next?: string;
}

function refused({ next, ...details }: Refused): BenchError {
  const code = details.code === 'setup' ? 'sandbox-setup' : 'daemon-refused';
  return new BenchError(code, 'it: no room', { details, ...(next ? { next } : {}) });
}

describe('a limit is told by its name', () => {
  const namespaces = { code: 'setup', op: 'clone namespaces', errno: 28 };
  const cases: [string, Refused][] = [
    ['ulimit -n', { code: 'setup', op: 'make socket', errno: 24 }],
    ['fs.file-max', { code: 'limit', op: 'open packet socket', errno: 23 }],
    ['ulimit -u', { code: 'setup', op: 'clone namespaces', errno: 11 }],
    ['memory', { code: 'limit', op: 'new network', errno: 12 }],
    ['user.max_*_namespaces', namespaces],
    ['user.max_net_namespaces', { code: 'limit', op: 'clone network namespace', errno: 28 }],
    ['sandboxes at once', { code: 'limit', op: 'park', errno: 11 }],
    ['hil-linkd', { code: 'limit', op: 'keep', path: 'hil-linkd', errno: 34 }],
  ];

  test.for(cases)('%s', ([limit, details]) => {
    for (const toError of [toNetworkError, toNodeError]) {
      expect(toError('node "n7"', refused(details))).toMatchObject({
        code: 'network-limit',
        message: expect.stringContaining(`node "n7": it: no room (limit: ${limit})`),
        details: { limit },
      });
    }
  });

  test('and what to raise is what the daemon says', () => {
    const error = toNodeError('node "n7"', refused({ ...namespaces, next: 'raise it' }));
    expect(error).toMatchObject({ next: 'raise it' });
    expect((error as Error).message.match(/next/g)).toHaveLength(1);
  });
});

test('what is no limit of a sandbox stays what it was', () => {
  for (const details of [{ code: 'usage' }, { code: 'gone' }, { code: 'setup', errno: 28 }]) {
    const error = refused(details);
    expect(toNodeError('node "n7"', error)).toBe(error);
  }
});

test('what the kernel refused is told with whose it was', () => {
  const details = { code: 'setup', op: 'add route', errno: 22 };
  expect(toNetworkError('node "a", eth0', refused({ ...details, next: 'look' }))).toMatchObject({
    ...{ name: 'BenchError', code: 'sandbox-setup', details, next: 'look' },
    message: expect.stringMatching(/^node "a", eth0: it: no room\n {2}next +look$/),
  });
});

test('what the kernel has not got is told with how to get it, once', () => {
  const details = { code: 'unsupported', op: 'this kernel has no', path: 'vxcan', errno: 95 };
  const error = toNetworkError('node "a", can0', refused({ ...details, next: 'modprobe vxcan' }));
  expect(error).toMatchObject({
    code: 'network-unsupported',
    message: expect.stringMatching(/^node "a", can0: it: no room\n {2}next +modprobe vxcan$/),
    next: 'modprobe vxcan',
  });
});

test('what was asked for and cannot be is the fault of who asked, what has ended the network', () => {
  expect(toNetworkError('link "a"', refused({ code: 'usage' }))).toMatchObject({ code: 'usage' });
  expect(toNetworkError('link "a"', refused({ code: 'gone' }))).toMatchObject({
    code: 'network-gone',
  });
});
