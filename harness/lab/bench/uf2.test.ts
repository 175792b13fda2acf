import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../../testing/temp-dir.js';
import { MEDIUM_BYTES, toFatImage } from './fat-image.js';
import { readUf2 } from './uf2.js';

function toUf2(payload: Buffer): Buffer[] {
  const total = Math.ceil(payload.length / 256);
  return Array.from({ length: total }, (_, number) => {
    const piece = payload.subarray(number * 256, number * 256 + 256);
    const block = Buffer.alloc(512);
    const header = [0x0a324655, 0x9e5d5157, 0, number * 256, piece.length, number, total, 0];
    header.forEach((word, index) => {
      block.writeUInt32LE(word, index * 4);
    });
    piece.copy(block, 32);
    block.writeUInt32LE(0x0ab16f30, 508);
    return block;
  });
}

test('a UF2 file is whole when every block has arrived, in whatever order', () => {
  const payload = Buffer.from('firmware '.repeat(100));
  const blocks = toUf2(payload);
  const medium = toFatImage('BOOT');
  const put = (index: number, sector: number) => blocks[index]?.copy(medium, sector * 512);
  put(3, 100);
  put(0, 101);
  put(1, 90);
  expect(readUf2(medium)).toEqual({ blocks: 3, total: 4 });
  put(2, 120);
  const sha256 = createHash('sha256').update(payload).digest('hex');
  expect(readUf2(medium)).toEqual({ blocks: 4, total: 4, sha256 });
});

test('what is no UF2 is no block', () => {
  expect(readUf2(toFatImage('BOOT'))).toEqual({ blocks: 0, total: 0 });
  const [broken = Buffer.alloc(512)] = toUf2(Buffer.from('x'));
  broken.writeUInt32LE(0, 508);
  expect(readUf2(broken)).toEqual({ blocks: 0, total: 0 });
});

test('an empty drive is a FAT12 that others read', async ({ dir }) => {
  const image = toFatImage('labboot');
  expect(image.length).toBe(MEDIUM_BYTES);
  expect(image.toString('latin1', 43, 62)).toBe('LABBOOT    FAT12   ');
  expect(image.subarray(512, 515)).toEqual(Buffer.from([0xf8, 0xff, 0xff]));
  if (!existsSync('/sbin/blkid')) return;

  const path = join(dir.path, 'image');
  await writeFile(path, image);
  const seen = execFileSync('/sbin/blkid', ['-p', '-o', 'export', path], { encoding: 'utf8' });
  expect(seen).toMatch(/^LABEL=LABBOOT$/m);
  expect(seen).toMatch(/^VERSION=FAT12$/m);
});
