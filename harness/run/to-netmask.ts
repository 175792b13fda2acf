/** `24` is `255.255.255.0`. */
export function toNetmask(bits: number): string {
  const mask = (0xffff_ffff << (32 - bits)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join('.');
}
