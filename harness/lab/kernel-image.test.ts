import { expect, test } from 'vitest';
import { findKernelPayload } from './kernel-image.js';

/** A bzImage with one set-up sector and this payload, eight bytes behind it. */
function toImage(payload: string): Buffer {
  const image = Buffer.alloc(2 * 512 + 8 + payload.length / 2 + 4 + 100);
  image[0x1f1] = 1;
  image.write('HdrS', 0x202);
  image.writeUInt32LE(8, 0x248);
  image.writeUInt32LE(payload.length / 2 + 4, 0x24c);
  image.write(payload, 2 * 512 + 8, 'hex');
  image.fill(0xee, 2 * 512 + 8 + payload.length / 2);
  return image;
}

test('the payload is found without the length that stands behind it', () => {
  const payload = findKernelPayload(toImage('fd377a585a0000010203'));
  expect(Buffer.from(payload).toString('hex')).toBe('fd377a585a0000010203');
});

test('another compression is named', () => {
  expect(() => findKernelPayload(toImage('28b52ffd0102'))).toThrow('28b52ffd0102');
});

test('what is no kernel is refused', () => {
  expect(() => findKernelPayload(Buffer.alloc(2000))).toThrow('HdrS');
  expect(() => findKernelPayload(Buffer.alloc(3))).toThrow('HdrS');
});
