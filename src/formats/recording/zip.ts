import { ModelError } from '../../base/index.js';

/** A stored entry of a ZIP and where it is. All in bytes, offsets from the start of the file. */
export interface ZipEntry {
  readonly name: string;
  /** Where its local header begins. */
  readonly offset: number;
  /** Where its bytes begin. */
  readonly dataOffset: number;
  readonly size: number;
  readonly crc32: number;
}

/** A ZIP that is read a piece at a time. */
export interface ZipSource {
  /** For messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; both lie inside the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Numbers in front of the records of a ZIP. @source PKWARE APPNOTE 6.3.10, 4.3 */
export const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  zip64End: 0x06064b50,
  zip64Locator: 0x07064b50,
  end: 0x06054b50,
} as const;

/** Stands in a field of 32 bits where the true number is in the ZIP64 field. */
export const inZip64 = 0xffffffff;
/** The same in a field of 16 bits. */
export const inZip64Short = 0xffff;
/** The extra field that holds sizes and offsets of 64 bits. */
export const zip64Field = 1;
/** Bytes of records without their names and extra fields. */
export const recordBytes = { local: 30, central: 46, zip64End: 56, zip64Locator: 20, end: 22 } as const;

/** More is refused: a recording of a long run has some thousands. */
export const mostEntries = 65_535;
const longestName = 1000;

/** Why a file is no recording. */
export const invalidRecording = (file: string, what: string, cause?: unknown): ModelError =>
  new ModelError(`${file} is no valid recording: ${what}`, {
    code: 'RECORDING_INVALID',
    hint: 'The file is damaged, was changed, or is another kind of file: take an undamaged copy, or record the run again.',
    details: { file },
    ...(cause === undefined ? {} : { cause }),
  });

/** What is wrong with the name of an entry: it could lead out of the folder that it is unpacked in. */
export const nameFault = (name: string): string | undefined => {
  if (name === '') return 'an entry has no name';
  const shown = JSON.stringify(name.slice(0, 60));
  if (name.length > longestName) return `the name ${shown} is too long`;
  if (/[\u0000-\u001f\\:]/.test(name) || name.startsWith('/')) return `the name ${shown} is not a plain relative path`;
  if (name.split('/').some((part) => part === '..' || part === '.')) return `the name ${shown} leaves its folder`;
  return undefined;
};
