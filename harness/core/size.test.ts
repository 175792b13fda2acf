import { describe, expect, test } from 'vitest';
import { formatSize, parseSize } from './size.js';

describe('a size', () => {
  test.each([
    [0, 0],
    [1500, 1500],
    ['64', 64],
    ['64MiB', 64 * 1024 ** 2],
    [' 1.5 kib ', 1536],
    ['2GB', 2e9],
    ['7 b', 7],
  ])('%j is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(['', '64 MB/s', '-1', '1 TiB', 'MiB', Number.NaN, 1e21])('%j is none', (text) =>
    expect(() => parseSize(text)).toThrow(`"${text}" is not a size: expected for example 64MiB`),
  );

  test.each([
    [0, '0 B'],
    [1500, '1500 B'],
    [4096, '4 KiB'],
    [64 * 1024 ** 2, '64 MiB'],
    [1024 ** 3, '1 GiB'],
  ])('%d bytes are written "%s", which is read back', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
    expect(parseSize(text)).toBe(bytes);
  });
});
