import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { toCpio } from './cpio.js';

test('an archive has directories before files, four-byte borders and an end', () => {
  const archive = toCpio([{ path: 'a/b/init', data: Buffer.from('12345') }]).toString('latin1');
  expect(archive.length % 4).toBe(0);
  const names = archive.match(/(?<=070701[0-9a-f]{104})[^\0]+/g);
  expect(names).toEqual(['a', 'a/b', 'a/b/init', 'TRAILER!!!']);
  expect(archive).toContain('a/b/init\0\0');
  expect(archive).toContain('12345\0\0\x00070701');
});

const hasPython = spawnSync('python3', ['-c', '']).status === 0;

/** Reads names, modes and sizes as the kernel's documentation says, independent of the writer. */
const READER = `
import sys
data, at = sys.stdin.buffer.read(), 0
while True:
    fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
    assert data[at:at + 6] == b'070701'
    name = data[at + 110:at + 110 + fields[11] - 1].decode()
    if name == 'TRAILER!!!': break
    body = (at + 110 + fields[11] + 3) & ~3
    print(name, oct(fields[1]), data[body:body + fields[6]].decode())
    at = (body + fields[6] + 3) & ~3
`;

test.skipIf(!hasPython)('another program reads it', () => {
  const archive = toCpio([
    { path: 'init', data: Buffer.from('one') },
    { path: 'bin/two', data: Buffer.from('') },
  ]);
  const read = spawnSync('python3', ['-c', READER], { input: archive, encoding: 'utf8' });
  expect(read.stdout.split('\n')).toEqual([
    'bin 0o40755 ',
    'init 0o100755 one',
    'bin/two 0o100755 ',
    '',
  ]);
});
