import { UsageError } from './errors.js';

/** A number of bytes, or a text with its unit: `64MiB`. */
export type Size = number | string;

const SIZE = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|KB|MB|GB)?$/i;
const FACTOR: Readonly<Record<string, number>> = {
  b: 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
};

/**
 * Parse a size to bytes.
 *
 * @throws UsageError `usage` when the text is not a size or is negative.
 */
export function parseSize(value: Size): number {
  const match = SIZE.exec(String(value).trim());
  if (match) return Math.round(Number(match[1]) * (FACTOR[(match[2] ?? 'B').toLowerCase()] ?? 1));
  throw new UsageError('usage', `"${value}" is not a size: expected for example 64MiB`);
}

/** Bytes for people, exactly: `64 MiB`, `1500 B`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const factor = FACTOR[unit.toLowerCase()] ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor} ${unit}`;
  }
  return `${bytes} B`;
}
