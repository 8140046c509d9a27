import { inZip64, recordBytes, signatures, zip64Field } from './zip.js';

/** A header of an entry, as it is written: nothing is believed yet. */
export interface EntryHeader {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressed: number;
  readonly size: number;
  /** Of the local header; 0 in a local header itself. */
  readonly offset: number;
  /** Of the header with all that belongs to it. */
  readonly bytes: number;
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A count of 64 bits; NaN where it is beyond what a number holds exactly. */
export const count64 = (view: DataView, at: number): number => {
  const value = view.getBigUint64(at, true);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : NaN;
};

/** The numbers of the ZIP64 extra field, in order; none where it is missing. */
const zip64Numbers = (extra: Uint8Array): readonly number[] => {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const [field, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (at + 4 + length > extra.length) return [];
    if (field === zip64Field)
      return Array.from({ length: Math.floor(length / 8) }, (_, i) => count64(view, at + 4 + 8 * i));
    at += 4 + length;
  }
  return [];
};

/** In the place of each number that says so, the next one of the ZIP64 field. */
const widened = (numbers: readonly number[], extra: Uint8Array): number[] => {
  const wide = [...zip64Numbers(extra)];
  return numbers.map((n) => (n === inZip64 ? (wide.shift() ?? NaN) : n));
};

const decodeName = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** Names that fit neither UTF-8 nor the file make a header that is none. */
const headerAt = (
  bytes: Uint8Array,
  start: number,
  fields: { readonly kind: 'local' | 'central'; readonly from: number },
): EntryHeader | undefined => {
  const { kind, from } = fields;
  const view = viewOf(bytes);
  const fixed = recordBytes[kind];
  if (start + fixed > bytes.length || view.getUint32(start, true) !== signatures[kind]) return undefined;
  const at = start + from;
  const [nameBytes, extraBytes] = [view.getUint16(at + 20, true), view.getUint16(at + 22, true)];
  const comment = kind === 'central' ? view.getUint16(at + 24, true) : 0;
  const behind = start + fixed + nameBytes;
  if (behind + extraBytes + comment > bytes.length) return undefined;
  const name = decodeName(bytes.subarray(start + fixed, behind));
  if (name === undefined) return undefined;
  const raw = [view.getUint32(at + 16, true), view.getUint32(at + 12, true)];
  if (kind === 'central') raw.push(view.getUint32(start + 42, true));
  const [size = NaN, compressed = NaN, offset = 0] = widened(raw, bytes.subarray(behind, behind + extraBytes));
  return {
    ...{ name, flags: view.getUint16(at, true), method: view.getUint16(at + 2, true) },
    ...{ crc32: view.getUint32(at + 8, true), size, compressed, offset },
    bytes: fixed + nameBytes + extraBytes + comment,
  };
};

/** The header of the directory at a place of it, if one is there. */
export const centralHeaderAt = (bytes: Uint8Array, start: number): EntryHeader | undefined =>
  headerAt(bytes, start, { kind: 'central', from: 8 });

/** The header before an entry's bytes, if these bytes begin with one that is whole. */
export const localHeaderAt = (bytes: Uint8Array): EntryHeader | undefined =>
  headerAt(bytes, 0, { kind: 'local', from: 6 });

/** Bytes of a local header with its name and extra field, from its fixed part. */
export const localBytes = (fixed: Uint8Array): number => {
  const view = viewOf(fixed);
  return recordBytes.local + view.getUint16(26, true) + view.getUint16(28, true);
};
