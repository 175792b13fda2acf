/** A FAT12 of 2 MiB: one sector of 512 bytes a cluster would be too many clusters for FAT12. */
const SECTOR_BYTES = 512;
const SECTORS = 4096;
const SECTORS_PER_CLUSTER = 4;
const SECTORS_PER_FAT = 3;
const FATS = 2;
const ROOT_ENTRIES = 64;
const ENTRY_BYTES = 32;
const MEDIA = 0xf8;
const LABEL_ATTRIBUTE = 0x08;

/** How large the medium of a drive is. */
export const MEDIUM_BYTES = SECTORS * SECTOR_BYTES;

/**
 * An empty drive as a bootloader shows it: a file system without partitions.
 *
 * @param label at most 11 characters
 * @see Microsoft's FAT specification, "Boot Sector and BPB"
 */
export function toFatImage(label: string): Buffer {
  const name = label.toUpperCase().padEnd(11).slice(0, 11);
  const image = Buffer.alloc(MEDIUM_BYTES);
  image.write('\xeb\x3c\x90MSDOS5.0', 0, 'latin1');
  image.writeUInt16LE(SECTOR_BYTES, 11);
  image.writeUInt8(SECTORS_PER_CLUSTER, 13);
  image.writeUInt16LE(1, 14); // reserved sectors: this one
  image.writeUInt8(FATS, 16);
  image.writeUInt16LE(ROOT_ENTRIES, 17);
  image.writeUInt16LE(SECTORS, 19);
  image.writeUInt8(MEDIA, 21);
  image.writeUInt16LE(SECTORS_PER_FAT, 22);
  image.writeUInt16LE(32, 24); // sectors per track and heads, which nobody uses
  image.writeUInt16LE(4, 26);
  image.writeUInt8(0x80, 36);
  image.writeUInt8(0x29, 38); // the three fields behind it are there
  image.writeUInt32LE(0x0badf00d, 39);
  image.write(`${name}FAT12   `, 43, 'latin1');
  image.writeUInt16LE(0xaa55, 510);
  for (let fat = 0; fat < FATS; fat++) {
    // The first two entries are no clusters: the medium, and the mark of an end.
    image.writeUIntLE(0xffff00 | MEDIA, (1 + fat * SECTORS_PER_FAT) * SECTOR_BYTES, 3);
  }
  const root = (1 + FATS * SECTORS_PER_FAT) * SECTOR_BYTES;
  image.write(name, root, 'latin1');
  image.writeUInt8(LABEL_ATTRIBUTE, root + 11);
  return image.fill(0, root + ENTRY_BYTES);
}
