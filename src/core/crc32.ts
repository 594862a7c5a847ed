const POLYNOMIAL = 0xedb88320;

function tableEntry(index: number): number {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  }
  return value;
}

const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => tableEntry(index));

/**
 * CRC-32 (IEEE 802.3, as `zlib.crc32`) of an ASCII text, as an unsigned number. Written here
 * because `core` may use `node:crypto` alone.
 */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc = (crc >>> 8) ^ (table[(crc ^ text.charCodeAt(index)) & 0xff] ?? 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
