const polynomial = 0xedb88320;

const rowOf = (byte: number): number => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  return crc;
};

const table = Int32Array.from({ length: 256 }, (_, byte) => rowOf(byte));

/**
 * CRC-32 as ZIP, gzip and PNG have it, in plain code that runs anywhere.
 * @param before the checksum of what comes before these bytes
 * @returns an unsigned number of 32 bits
 * @source PKWARE APPNOTE 6.3.10, 4.4.7
 */
export const crc32 = (bytes: Uint8Array, before = 0): number => {
  let crc = ~before;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
};
