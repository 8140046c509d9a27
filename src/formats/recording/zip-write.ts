import { inZip64, inZip64Short, signatures, zip64Field, type ZipEntry } from './zip.js';

/** Bytes of each entry begin at a multiple of this, so that tensors inside can be mapped. */
export const alignment = 64;
/** The extra field that fills up to the alignment, as Android's zipalign writes it. */
const paddingField = 0xd935;
/** ZIP 4.5: sizes of 64 bits. */
const version = 45;
/** Names are UTF-8. */
const flags = 0x0800;
const stored = 0;
/** 1980-01-01: equal recordings are equal bytes; the true date is in the manifest. */
const time = 0;
const date = 0x21;

type Field = readonly [bytes: 2 | 4 | 8, value: number];

/** Numbers one after the other, little-endian. */
const packed = (...fields: readonly Field[]): Uint8Array => {
  const out = new Uint8Array(fields.reduce((sum, [bytes]) => sum + bytes, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return out;
};

const joined = (...pieces: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
};

/** An empty field whose length makes what follows `at + its own length` aligned. */
const padding = (at: number): Uint8Array => {
  const least = 6;
  const more = (alignment - ((at + least) % alignment)) % alignment;
  return joined(packed([2, paddingField], [2, 2 + more], [2, alignment]), new Uint8Array(more));
};

const common = (crc32: number, nameBytes: number, extraBytes: number): readonly Field[] => [
  ...([
    [2, version],
    [2, flags],
    [2, stored],
    [2, time],
    [2, date],
  ] as const),
  ...([
    [4, crc32],
    [4, inZip64],
    [4, inZip64],
    [2, nameBytes],
    [2, extraBytes],
  ] as const),
];

/** What stands before the bytes of an entry that begins at `offset`. */
export const localHeader = (entry: Pick<ZipEntry, 'name' | 'size' | 'crc32' | 'offset'>): Uint8Array => {
  const name = new TextEncoder().encode(entry.name);
  const sizes = packed([2, zip64Field], [2, 16], [8, entry.size], [8, entry.size]);
  const fill = padding(entry.offset + 30 + name.length + sizes.length);
  const head = packed([4, signatures.local], ...common(entry.crc32, name.length, sizes.length + fill.length));
  return joined(head, name, sizes, fill);
};

const centralHeader = (entry: ZipEntry): Uint8Array => {
  const name = new TextEncoder().encode(entry.name);
  const extra = packed([2, zip64Field], [2, 24], [8, entry.size], [8, entry.size], [8, entry.offset]);
  const fields = common(entry.crc32, name.length, extra.length);
  const head = packed([4, signatures.central], [2, version], ...fields, [2, 0], [2, 0], [2, 0], [4, 0], [4, inZip64]);
  return joined(head, name, extra);
};

/**
 * What stands behind all entries: the directory and its ends, in the form of ZIP64.
 * @param at where it begins
 */
export const directory = (entries: readonly ZipEntry[], at: number): Uint8Array => {
  const central = joined(...entries.map(centralHeader));
  const [count, size, zip64At] = [entries.length, central.length, at + central.length];
  const zip64End = packed(
    ...([
      [4, signatures.zip64End],
      [8, 44],
      [2, version],
      [2, version],
      [4, 0],
      [4, 0],
    ] as const),
    ...([
      [8, count],
      [8, count],
      [8, size],
      [8, at],
    ] as const),
  );
  const locator = packed([4, signatures.zip64Locator], [4, 0], [8, zip64At], [4, 1]);
  const end = packed(
    ...([
      [4, signatures.end],
      [2, 0],
      [2, 0],
      [2, inZip64Short],
      [2, inZip64Short],
    ] as const),
    ...([
      [4, inZip64],
      [4, inZip64],
      [2, 0],
    ] as const),
  );
  return joined(central, zip64End, locator, end);
};
