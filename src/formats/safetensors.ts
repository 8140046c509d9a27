import { ModelError } from '../base/index.js';
import { bytesPer, sizeOf, type StoredDType } from '../tensor/index.js';
import { scanJson, countKeys } from './json-scan.js';

/** Where a tensor lies in a file. Offset and length in bytes, the offset from the start of the file. */
export interface StoredTensor {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

export interface SafetensorsHeader {
  /** By name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The entries of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The name of each dtype in a safetensors file. */
export const safetensorsDTypes: Readonly<Record<StoredDType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};

const storedDTypes: ReadonlyMap<string, StoredDType> = new Map(
  (Object.keys(safetensorsDTypes) as StoredDType[]).map((dtype) => [safetensorsDTypes[dtype], dtype]),
);

/** A longer header is refused, as the reference implementation does. */
const longestHeaderBytes = 100_000_000;
/** The header is an object of objects with lists of numbers; deeper parts can only be unknown extras. */
const deepestHeader = 8;
/** Bytes of the number in front of the header. */
const lengthBytes = 8;

type Refuse = (what: string, tensor?: string) => ModelError;

const refuseIn =
  (fileName: string): Refuse =>
  (what, tensor) =>
    new ModelError(`${fileName} is no valid safetensors file: ${what}`, {
      code: 'SAFETENSORS_INVALID',
      hint: 'The file is damaged, cut short or not downloaded whole: compare its size with the source and take it anew.',
      details: { file: fileName, ...(tensor === undefined ? {} : { tensor }) },
    });

const isLfsPointer = (bytes: Uint8Array): boolean => new TextDecoder().decode(bytes.subarray(0, 8)) === 'version ';

/**
 * How many bytes at the file's start hold the header, its own length included.
 * @param start the first bytes of the file, 8 where it has them
 * @throws ModelError SAFETENSORS_INVALID when that is more than the file has, or more than 100 MB
 */
export const headerEnd = (start: Uint8Array, fileSize: number, fileName: string): number => {
  const refuse = refuseIn(fileName);
  if (start.length < lengthBytes || fileSize < lengthBytes)
    throw refuse(`it has ${fileSize} bytes, fewer than the 8 that every one begins with`);
  if (isLfsPointer(start)) throw refuse('it is a Git LFS pointer, not the weights (run `git lfs pull`)');
  const length = Number(new DataView(start.buffer, start.byteOffset, lengthBytes).getBigUint64(0, true));
  if (length > longestHeaderBytes) throw refuse(`it announces a header of ${length} bytes, the most is 100 MB`);
  if (lengthBytes + length > fileSize)
    throw refuse(`it announces a header of ${length} bytes, and has ${fileSize} in all`);
  return lengthBytes + length;
};

type Entries = readonly (readonly [string, unknown])[];

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseEntries = (bytes: Uint8Array, refuse: Refuse): Entries => {
  if (bytes[0] !== 0x7b) throw refuse('its header does not begin with {');
  const { depth, keys } = scanJson(bytes);
  if (depth > deepestHeader) throw refuse('its header is nested too deeply');
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw refuse('its header is not JSON in UTF-8');
  }
  if (!isObject(parsed)) throw refuse('its header is no JSON object');
  if (countKeys(parsed) !== keys) throw refuse('a name stands twice in its header');
  return Object.entries(parsed);
};

const parseMetadata = (value: unknown, refuse: Refuse): ReadonlyMap<string, string> => {
  if (!isObject(value)) throw refuse('its __metadata__ is no JSON object');
  const entries = Object.entries(value).map(([key, text]) => {
    if (typeof text !== 'string') throw refuse(`its __metadata__ has a value that is no text, ${key}`);
    return [key, text] as const;
  });
  return new Map(entries);
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const parseDType = (value: unknown, name: string, refuse: Refuse): StoredDType => {
  const dtype = typeof value === 'string' ? storedDTypes.get(value) : undefined;
  if (dtype) return dtype;
  const known = [...storedDTypes.keys()].join(', ');
  throw refuse(`tensor ${name} has dtype ${JSON.stringify(value)}; known are ${known}`, name);
};

const parseTensor = (name: string, value: unknown, refuse: Refuse): StoredTensor => {
  if (!isObject(value)) throw refuse(`tensor ${name} is described by no JSON object`, name);
  const dtype = parseDType(value['dtype'], name, refuse);
  const shape: unknown = value['shape'];
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw refuse(`tensor ${name} has a shape that is no list of counts`, name);
  const offsets: unknown = value['data_offsets'];
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw refuse(`tensor ${name} has data_offsets that are no pair of counts`, name);
  const [begin, end] = offsets as [number, number];
  if (begin > end) throw refuse(`tensor ${name} ends, at ${end}, before it begins, at ${begin}`, name);
  const length = sizeOf(shape) * bytesPer[dtype];
  if (!Number.isSafeInteger(length)) throw refuse(`tensor ${name} has a shape too large for any file`, name);
  if (end - begin !== length)
    throw refuse(`tensor ${name} of shape [${shape.join(', ')}] needs ${length} bytes and has ${end - begin}`, name);
  return { dtype, shape, offset: begin, length };
};

/** The tensors must fill the rest of the file, without overlap, without a hole. */
const checkLayout = (tensors: ReadonlyMap<string, StoredTensor>, dataBytes: number, refuse: Refuse): void => {
  let at = 0;
  const byOffset = [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length);
  for (const [name, { offset, length }] of byOffset) {
    if (offset + length > dataBytes)
      throw refuse(`tensor ${name} ends at byte ${offset + length} of ${dataBytes} bytes of data`, name);
    if (offset < at) throw refuse(`tensor ${name} overlaps another`, name);
    if (offset > at) throw refuse(`${offset - at} bytes before tensor ${name} belong to no tensor`, name);
    at = offset + length;
  }
  if (at !== dataBytes) throw refuse(`${dataBytes - at} bytes at its end belong to no tensor`);
};

/**
 * Reads and checks the header of a safetensors file, as strictly as the reference implementation: nothing else in
 * Cutaway doubts its offsets again.
 * @param bytes the file's first `headerEnd` bytes, or more
 * @param fileSize bytes in the file
 * @param fileName for messages
 * @throws ModelError SAFETENSORS_INVALID
 * @source https://huggingface.co/docs/safetensors and its Rust crate, `SafeTensors::read_metadata`
 */
export const parseHeader = (bytes: Uint8Array, fileSize: number, fileName: string): SafetensorsHeader => {
  const refuse = refuseIn(fileName);
  const end = headerEnd(bytes, fileSize, fileName);
  if (bytes.length < end) throw refuse('its header is cut short');
  const relative = new Map<string, StoredTensor>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of parseEntries(bytes.subarray(lengthBytes, end), refuse)) {
    if (name === '__metadata__') metadata = parseMetadata(value, refuse);
    else relative.set(name, parseTensor(name, value, refuse));
  }
  checkLayout(relative, fileSize - end, refuse);
  return { tensors: new Map([...relative].map(([name, t]) => [name, { ...t, offset: end + t.offset }])), metadata };
};
