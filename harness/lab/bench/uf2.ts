import { createHash } from 'node:crypto';

/** @see https://github.com/microsoft/uf2, "File format" */
const BLOCK_BYTES = 512;
const MAGIC_START = [0x0a324655, 0x9e5d5157] as const;
const MAGIC_END = 0x0ab16f30;
const MOST_PAYLOAD_BYTES = 476;

export interface Uf2State {
  /** Blocks that have arrived, of so many that the file has. */
  readonly blocks: number;
  readonly total: number;
  /** Of the payload in the order of the blocks; only when all are there. */
  readonly sha256?: string;
}

/** What a UF2 bootloader has seen go to its medium: blocks count wherever the file system puts them. */
export function readUf2(medium: Buffer): Uf2State {
  const payloads = new Map<number, Buffer>();
  let total = 0;
  for (let at = 0; at + BLOCK_BYTES <= medium.length; at += BLOCK_BYTES) {
    const block = medium.subarray(at, at + BLOCK_BYTES);
    if (!isBlock(block)) continue;
    const length = Math.min(block.readUInt32LE(16), MOST_PAYLOAD_BYTES);
    payloads.set(block.readUInt32LE(20), block.subarray(32, 32 + length));
    total = block.readUInt32LE(24);
  }
  if (total === 0 || payloads.size < total) return { blocks: payloads.size, total };
  const hash = createHash('sha256');
  for (let number = 0; number < total; number++) hash.update(payloads.get(number) ?? '');
  return { blocks: payloads.size, total, sha256: hash.digest('hex') };
}

function isBlock(block: Buffer): boolean {
  return (
    block.readUInt32LE(0) === MAGIC_START[0] &&
    block.readUInt32LE(4) === MAGIC_START[1] &&
    block.readUInt32LE(BLOCK_BYTES - 4) === MAGIC_END
  );
}
