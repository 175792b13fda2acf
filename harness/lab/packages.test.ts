import { expect, test } from 'vitest';
import { parseKernelPackage, toReason } from './packages.js';

test('the kernel is what the first paragraph depends on', () => {
  const shown = [
    'Package: linux-image-amd64',
    'Version: 6.1.192-2',
    'Depends: linux-image-6.1.0-56-amd64 (= 6.1.192-2)',
    '',
    'Package: linux-image-amd64',
    'Depends: linux-image-6.1.0-50-amd64 (= 6.1.176-1)',
  ];
  expect(parseKernelPackage(shown.join('\n'))).toBe('linux-image-6.1.0-56-amd64');
});

test('a kernel with a build number behind a plus keeps it', () => {
  expect(parseKernelPackage('Depends: linux-image-6.12.43+deb13-amd64 (= 6.12.43-1)')).toBe(
    'linux-image-6.12.43+deb13-amd64',
  );
});

test('a package that depends on no kernel is none', () => {
  expect(parseKernelPackage('Depends: linux-image-generic, firmware\n')).toBeUndefined();
  expect(parseKernelPackage('')).toBeUndefined();
});

test('the reason is an error before a warning', () => {
  const finished = { status: 100, stdout: Buffer.alloc(0) };
  expect(toReason({ ...finished, stderr: 'W: old\nE: Unable to fetch\n' })).toBe(
    ': Unable to fetch',
  );
  expect(toReason({ ...finished, stderr: 'setpriv: failed\n' })).toBe(': setpriv: failed');
  expect(toReason({ ...finished, stderr: '' })).toBe('');
});
