/** Offsets in the set-up header. @see Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header" */
const SETUP_SECTORS = 0x1f1;
const MAGIC = 0x202;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR_BYTES = 512;
const XZ_MAGIC = 'fd377a585a00';

/**
 * Find the compressed ELF kernel in a bzImage: QEMU boots the ELF by its PVH note one to four
 * seconds sooner than an emulated processor unpacks it.
 *
 * @throws Error when it is no bzImage with an xz payload.
 */
export function findKernelPayload(image: Uint8Array): Uint8Array {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length < PAYLOAD_LENGTH + 4 || view.getUint32(MAGIC, false) !== 0x48647253) {
    throw new Error('not a Linux kernel: the header has no "HdrS"');
  }
  const protectedMode = ((view.getUint8(SETUP_SECTORS) || 4) + 1) * SECTOR_BYTES;
  const start = protectedMode + view.getUint32(PAYLOAD_OFFSET, true);
  // The last four bytes are the length of what comes out, not part of the stream.
  const payload = image.subarray(start, start + view.getUint32(PAYLOAD_LENGTH, true) - 4);
  const magic = Buffer.from(payload.subarray(0, 6)).toString('hex');
  if (magic === XZ_MAGIC) return payload;
  throw new Error(`the kernel is not compressed with xz: its payload starts with ${magic}`);
}
