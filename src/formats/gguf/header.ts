import { ModelError } from '../../base/index.js';
import { sizeOf } from '../../tensor/index.js';
import { Cursor } from './cursor.js';
import { ggmlLayouts, ggmlTypeOf, type GgmlType } from './ggml-types.js';
import type { GgufFile, GgufTensor, GgufValue } from './gguf.js';
import { invalidGguf } from './invalid.js';
import { readValue } from './metadata.js';

const magic = 0x46554747; // "GGUF"
const defaultAlignment = 32;
/** A page of any system. */
const largestAlignment = 65_536;
/** As ggml has it. */
const mostDimensions = 4;
/** Hundreds of times what models have: each takes memory beyond its bytes. */
const mostEntries = 65_536;
/** Bytes of a metadata entry at least: key, type, value. */
const leastEntryBytes = 8 + 4 + 1;
/** Bytes of a tensor's description at least: name, number of dimensions, type, offset. */
const leastTensorBytes = 8 + 4 + 4 + 8;

const readVersion = (c: Cursor): 2 | 3 => {
  if (c.left < 4 || c.uint32('its first bytes') !== magic)
    throw invalidGguf(c.file.name, 'it does not begin with "GGUF"');
  const version = c.uint32('its version');
  if (version === 2 || version === 3) return version;
  if ((version & 0xffff) === 0) throw invalidGguf(c.file.name, 'its numbers are big-endian, which is not read');
  const way = version === 1 ? ' (version 1 was replaced in 2023: convert the model anew)' : '';
  throw invalidGguf(c.file.name, `it is of version ${version}; versions 2 and 3 are read${way}`);
};

const entryCount = (c: Cursor, what: string, leastBytes: number): number => {
  const count = c.count(what, leastBytes);
  if (count > mostEntries) throw invalidGguf(c.file.name, `it announces ${count} ${what}, the most is ${mostEntries}`);
  return count;
};

const readMetadata = (c: Cursor, count: number): Map<string, GgufValue> => {
  const metadata = new Map<string, GgufValue>();
  const arrays = { count: 0 };
  for (let i = 0; i < count; i++) {
    const key = c.text(`key ${i} of its metadata`);
    if (metadata.has(key))
      throw invalidGguf(c.file.name, `the key ${JSON.stringify(key)} stands twice in its metadata`);
    metadata.set(key, readValue(c, `the value of ${JSON.stringify(key)}`, arrays));
  }
  return metadata;
};

const alignmentOf = (file: string, metadata: ReadonlyMap<string, GgufValue>): number => {
  const value = metadata.get('general.alignment') ?? defaultAlignment;
  const sensible =
    typeof value === 'number' && value >= 1 && value <= largestAlignment && Number.isInteger(Math.log2(value));
  if (!sensible) throw invalidGguf(file, `its general.alignment is ${String(value)}, no power of two up to 65536`);
  return value;
};

const unknownTensorType = (file: string, name: string, id: number): ModelError =>
  new ModelError(`${file}: tensor ${name} is stored in ggml's type ${id}, which this version does not know`, {
    code: 'TENSOR_DTYPE',
    hint: 'Take the model in another quantisation, such as Q4_K_M or Q8_0, or in F16.',
    details: { file, name, type: id },
  });

/** A tensor as the header describes it; its offset from the start of the data. */
const readTensor = (c: Cursor, name: string): GgufTensor => {
  const what = `the description of tensor ${name}`;
  const rank = c.uint32(what);
  if (rank > mostDimensions) throw invalidGguf(c.file.name, `tensor ${name} has ${rank} dimensions, the most is 4`);
  const shape = Array.from({ length: rank }, () => Number(c.uint64(what))).reverse();
  const id = c.uint32(what);
  const type = ggmlTypeOf(id);
  if (!type) throw unknownTensorType(c.file.name, name, id);
  return { type, shape, offset: Number(c.uint64(what)), length: lengthOf(c.file.name, { name, type, shape }) };
};

/** Bytes of a tensor. Its rows, the fastest dimension, are whole blocks. */
const lengthOf = (file: string, tensor: { name: string; type: GgmlType; shape: readonly number[] }): number => {
  const { name, type, shape } = tensor;
  const { numbers, bytes } = ggmlLayouts[type];
  const shown = `tensor ${name} of shape [${shape.join(', ')}]`;
  if ((shape.at(-1) ?? 1) % numbers !== 0)
    throw invalidGguf(file, `${shown} has rows that are no whole blocks of ${type}`);
  const length = (sizeOf(shape) / numbers) * bytes;
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(length))
    throw invalidGguf(file, `${shown} is too large for any file`);
  return length;
};

const readTensors = (c: Cursor, count: number): Map<string, GgufTensor> => {
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < count; i++) {
    const name = c.text(`the name of tensor ${i}`);
    if (tensors.has(name)) throw invalidGguf(c.file.name, `two tensors are called ${name}`);
    tensors.set(name, readTensor(c, name));
  }
  return tensors;
};

/** Tensors lie inside the file, begin where the alignment lets them, and do not overlap. */
const checkLayout = (file: { name: string; size: number }, tensors: GgufFile['tensors'], alignment: number): void => {
  let end = 0;
  for (const [name, { offset, length }] of [...tensors].sort(
    ([, a], [, b]) => a.offset - b.offset || a.length - b.length,
  )) {
    if (offset % alignment !== 0)
      throw invalidGguf(file.name, `tensor ${name} begins at ${offset}, no multiple of ${alignment}`);
    if (offset + length > file.size)
      throw invalidGguf(file.name, `tensor ${name} ends at byte ${offset + length} of ${file.size}`);
    if (offset < end) throw invalidGguf(file.name, `tensor ${name} overlaps another`);
    end = Math.max(end, offset + length);
  }
};

/**
 * Reads and checks the header of a GGUF file: nothing else in Cutaway doubts its sizes again.
 * @param bytes the first bytes of the file
 * @throws ModelError GGUF_INVALID; TENSOR_DTYPE where ggml has no such type
 * @throws MoreNeeded where the header goes on after these bytes
 * @source ggml `docs/gguf.md`
 */
export const parseGguf = (bytes: Uint8Array, file: { readonly name: string; readonly size: number }): GgufFile => {
  const c = new Cursor(bytes, file);
  const version = readVersion(c);
  const tensorCount = entryCount(c, 'tensors', leastTensorBytes);
  const metadata = readMetadata(c, entryCount(c, 'metadata entries', leastEntryBytes));
  const relative = readTensors(c, tensorCount);
  const alignment = alignmentOf(file.name, metadata);
  const start = Math.ceil(c.at / alignment) * alignment;
  const tensors = new Map([...relative].map(([name, t]) => [name, { ...t, offset: start + t.offset }]));
  checkLayout(file, tensors, alignment);
  return { version, metadata, tensors, alignment };
};
