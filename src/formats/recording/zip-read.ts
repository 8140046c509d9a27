import { crc32 as plainCrc32 } from './crc32.js';
import { centralHeaderAt, count64, localBytes, localHeaderAt, viewOf, type EntryHeader } from './zip-records.js';
import {
  invalidRecording,
  inZip64,
  inZip64Short,
  mostEntries,
  nameFault,
  recordBytes,
  signatures,
  type ZipEntry,
  type ZipSource,
} from './zip.js';

/** What a ZIP holds. */
export interface ZipContent {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Why its directory could not be used: the entries are then those that were found whole, one after the other. */
  readonly damage?: string;
}

/** Something that is wrong with the directory and can be gone around. */
type Damage = string;
const isDamage = (value: unknown): value is Damage => typeof value === 'string';

const longestDirectory = 2 ** 25;
const longestComment = 0xffff;

/** Encrypted, or compressed: whole files could hide in few bytes. */
const refuseForm = ({ name, flags, method, size, compressed }: EntryHeader, file: string): void => {
  const shown = JSON.stringify(name.slice(0, 60));
  if ((flags & 1) !== 0) throw invalidRecording(file, `${shown} is encrypted`);
  if (method !== 0) throw invalidRecording(file, `${shown} is compressed; entries must be stored`);
  if (size !== compressed && !Number.isNaN(size + compressed))
    throw invalidRecording(file, `${shown} has two sizes, ${size} and ${compressed}`);
};

const checkName = (name: string, file: string): void => {
  const fault = nameFault(name);
  if (fault !== undefined) throw invalidRecording(file, fault);
};

interface DirectoryPlace {
  readonly at: number;
  readonly size: number;
  readonly entries: number;
}

/** Where the record lies that ends the file: behind it stands only the comment that it announces. */
const endRecordAt = (tail: Uint8Array): number => {
  const view = viewOf(tail);
  for (let at = tail.length - recordBytes.end; at >= 0; at--)
    if (view.getUint32(at, true) === signatures.end && view.getUint16(at + 20, true) === tail.length - at - 22)
      return at;
  return -1;
};

const zip64Place = async (source: ZipSource, endAt: number): Promise<DirectoryPlace | Damage> => {
  const locatorAt = endAt - recordBytes.zip64Locator;
  if (locatorAt < 0) return 'its ZIP64 locator is missing';
  const locator = viewOf(await source.read(locatorAt, recordBytes.zip64Locator));
  const at = count64(locator, 8);
  if (locator.getUint32(0, true) !== signatures.zip64Locator) return 'its ZIP64 locator is missing';
  if (!(at + recordBytes.zip64End <= locatorAt)) return 'its ZIP64 locator points outside';
  const end = viewOf(await source.read(at, recordBytes.zip64End));
  if (end.getUint32(0, true) !== signatures.zip64End) return 'its ZIP64 end is missing';
  return { at: count64(end, 48), size: count64(end, 40), entries: count64(end, 32) };
};

const directoryPlace = async (source: ZipSource): Promise<DirectoryPlace | Damage> => {
  const length = Math.min(source.size, recordBytes.end + longestComment);
  const tail = await source.read(source.size - length, length);
  const found = endRecordAt(tail);
  if (found < 0) return 'its directory is missing';
  const [end, endAt] = [viewOf(tail.subarray(found)), source.size - length + found];
  const short = { at: end.getUint32(16, true), size: end.getUint32(12, true), entries: end.getUint16(10, true) };
  const isWide = short.at === inZip64 || short.size === inZip64 || short.entries === inZip64Short;
  const place = isWide ? await zip64Place(source, endAt) : short;
  if (isDamage(place)) return place;
  if (!(place.at + place.size <= endAt)) return 'its directory is not where it should be';
  return place;
};

const readDirectory = async (source: ZipSource, place: DirectoryPlace): Promise<readonly EntryHeader[] | Damage> => {
  if (place.entries > mostEntries || place.size > longestDirectory)
    throw invalidRecording(source.name, `it announces ${place.entries} entries, the most is ${mostEntries}`);
  const bytes = await source.read(place.at, place.size);
  const headers: EntryHeader[] = [];
  for (let at = 0; at < bytes.length;) {
    const header = centralHeaderAt(bytes, at);
    if (!header) return 'its directory is damaged';
    headers.push(header);
    at += header.bytes;
  }
  return headers.length === place.entries ? headers : 'its directory lacks entries';
};

/** The header before an entry's bytes. `end`: where it must end. */
const readLocal = async (source: ZipSource, offset: number, end: number): Promise<EntryHeader | undefined> => {
  if (!(offset + recordBytes.local <= end)) return undefined;
  const bytes = localBytes(await source.read(offset, recordBytes.local));
  return offset + bytes <= end ? localHeaderAt(await source.read(offset, bytes)) : undefined;
};

/** An entry of the directory, checked against the header before its bytes. `end`: where entries must end. */
const placed = async (source: ZipSource, header: EntryHeader, end: number): Promise<ZipEntry | Damage> => {
  const { name, offset, size, crc32 } = header;
  const local = await readLocal(source, offset, end);
  if (local?.name !== name) return `the header of ${name.slice(0, 60)} is damaged`;
  const dataOffset = offset + local.bytes;
  if (!(dataOffset + size <= end))
    throw invalidRecording(source.name, `${name.slice(0, 60)} of ${size} bytes reaches past the end of the entries`);
  return { name, offset, dataOffset, size, crc32 };
};

/** By name; no two of one name, and none that shares bytes with another. */
const apart = (entries: readonly ZipEntry[], file: string): ReadonlyMap<string, ZipEntry> => {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  if (byName.size !== entries.length) throw invalidRecording(file, 'two entries have one name');
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (entry.offset < end) throw invalidRecording(file, `${entry.name.slice(0, 60)} overlaps another entry`);
    end = entry.dataOffset + entry.size;
  }
  return byName;
};

const isFolder = (name: string): boolean => name.endsWith('/');

const fromDirectory = async (source: ZipSource): Promise<ReadonlyMap<string, ZipEntry> | Damage> => {
  const place = await directoryPlace(source);
  if (isDamage(place)) return place;
  const headers = await readDirectory(source, place);
  if (isDamage(headers)) return headers;
  const entries: ZipEntry[] = [];
  for (const header of headers) {
    checkName(header.name, source.name);
    refuseForm(header, source.name);
    const entry = await placed(source, header, place.at);
    if (isDamage(entry)) return entry;
    if (!isFolder(entry.name)) entries.push(entry);
  }
  return apart(entries, source.name);
};

/** Bytes looked at together. */
const pieceBytes = 2 ** 20;

export type Crc32 = (bytes: Uint8Array, before?: number) => number;

/** Whether an entry's bytes are those that were written. */
export const isIntact = async (source: ZipSource, entry: ZipEntry, crc32: Crc32 = plainCrc32): Promise<boolean> => {
  let crc = 0;
  for (let at = 0; at < entry.size; at += pieceBytes)
    crc = crc32(await source.read(entry.dataOffset + at, Math.min(pieceBytes, entry.size - at)), crc);
  return crc === entry.crc32;
};

/** The entry that begins at a place, if a whole one does. */
const scanned = async (source: ZipSource, offset: number): Promise<ZipEntry | undefined> => {
  const header = await readLocal(source, offset, source.size);
  if (!header || (header.flags & 8) !== 0) return undefined; // its size stands behind it: where, nobody knows
  checkName(header.name, source.name);
  refuseForm(header, source.name);
  const { name, size, crc32 } = header;
  const dataOffset = offset + header.bytes;
  return dataOffset + size <= source.size ? { name, offset, dataOffset, size, crc32 } : undefined;
};

/** Entries one after the other from the start, as far as they are whole; those whose bytes were changed are left out. */
const scan = async (source: ZipSource, crc32: Crc32): Promise<readonly ZipEntry[]> => {
  const entries: ZipEntry[] = [];
  for (let at = 0; at < source.size && entries.length < mostEntries;) {
    const entry = await scanned(source, at);
    if (!entry) break;
    if (!isFolder(entry.name) && (await isIntact(source, entry, crc32))) entries.push(entry);
    at = entry.dataOffset + entry.size;
  }
  return entries;
};

/**
 * The entries of a ZIP, with nothing in it trusted: sizes are within the file, names are plain, nothing overlaps. One
 * whose directory is missing or damaged, since its writing was cut off, is gone through from its start.
 * @throws ModelError RECORDING_INVALID where entries are compressed, encrypted, overlapping or huge, or leave their folder
 */
export const readZip = async (source: ZipSource, crc32: Crc32 = plainCrc32): Promise<ZipContent> => {
  const entries = await fromDirectory(source);
  if (!isDamage(entries)) return { entries };
  return { entries: apart(await scan(source, crc32), source.name), damage: entries };
};
