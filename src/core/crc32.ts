const POLYNOMIAL = 0xedb88320;

function tableEntry(index: number): number {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  }
  return value;
}

/** Made when it is first needed: most commands never do. */
let table: Uint32Array | undefined;

/**
 * CRC-32 (IEEE 802.3, as `zlib.crc32`) of an ASCII text, as an unsigned number. Written here
 * because `core` may use `node:crypto` alone.
 */
export function crc32(text: string): number {
  const entries = (table ??= Uint32Array.from({ length: 256 }, (_, index) => tableEntry(index)));
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc = (crc >>> 8) ^ (entries[(crc ^ text.charCodeAt(index)) & 0xff] ?? 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
