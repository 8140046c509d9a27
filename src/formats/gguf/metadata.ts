import type { Cursor } from './cursor.js';
import type { GgufNumbers, GgufValue } from './gguf.js';
import { invalidGguf } from './invalid.js';

/** Arrays in arrays: nobody writes them, so a few are room enough. */
const deepestArrays = 4;
const mostNestedArrays = 10_000;

type Numbers = new (buffer: ArrayBuffer) => GgufNumbers;

interface NumberType {
  readonly bytes: number;
  readonly read: (c: Cursor, what: string) => number | bigint;
  readonly array: Numbers;
}

/** Types of numbers, by their number in a file. @source ggml `gguf.h`, `enum gguf_type` */
const numberTypes: ReadonlyMap<number, NumberType> = new Map<number, NumberType>([
  [0, { bytes: 1, read: (c, what) => c.uint8(what), array: Uint8Array }],
  [1, { bytes: 1, read: (c, what) => c.int8(what), array: Int8Array }],
  [2, { bytes: 2, read: (c, what) => c.uint16(what), array: Uint16Array }],
  [3, { bytes: 2, read: (c, what) => c.int16(what), array: Int16Array }],
  [4, { bytes: 4, read: (c, what) => c.uint32(what), array: Uint32Array }],
  [5, { bytes: 4, read: (c, what) => c.int32(what), array: Int32Array }],
  [6, { bytes: 4, read: (c, what) => c.float32(what), array: Float32Array }],
  [10, { bytes: 8, read: (c, what) => c.uint64(what), array: BigUint64Array }],
  [11, { bytes: 8, read: (c, what) => c.int64(what), array: BigInt64Array }],
  [12, { bytes: 8, read: (c, what) => c.float64(what), array: Float64Array }],
]);
const boolType = 7;
const textType = 8;
const arrayType = 9;

/** What is being read: for messages, and to bound arrays in arrays. */
interface Place {
  readonly what: string;
  readonly depth: number;
  readonly arrays: { count: number };
}

const readBoolean = (c: Cursor, what: string): boolean => {
  const byte = c.uint8(what);
  if (byte > 1) throw invalidGguf(c.file.name, `${what} is ${byte}, neither true nor false`);
  return byte === 1;
};

const readNumber = (c: Cursor, type: NumberType, what: string): number | bigint => {
  const value = type.read(c, what);
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
};

const readNumbers = (c: Cursor, type: NumberType, what: string): GgufNumbers => {
  const count = c.count(`numbers of ${what}`, type.bytes);
  const start = c.take(count * type.bytes, what);
  return new type.array(c.bytes.slice(start, start + count * type.bytes).buffer);
};

/** So many values of a type that takes at least `leastBytes`. */
const readList = (c: Cursor, place: Place, element: { leastBytes: number; read: () => GgufValue }): GgufValue[] => {
  const values: GgufValue[] = [];
  for (let left = c.count(`values of ${place.what}`, element.leastBytes); left > 0; left--) values.push(element.read());
  return values;
};

const readArray = (c: Cursor, place: Place): GgufValue => {
  const { what, depth, arrays } = place;
  if (depth > deepestArrays || ++arrays.count > mostNestedArrays)
    throw invalidGguf(c.file.name, `${what} holds arrays in arrays, more than are sensible`);
  const id = c.uint32(`the type of ${what}`);
  const numbers = numberTypes.get(id);
  if (numbers) return readNumbers(c, numbers, what);
  if (id === boolType) return readList(c, place, { leastBytes: 1, read: () => readBoolean(c, what) });
  if (id === textType) return readList(c, place, { leastBytes: 8, read: () => c.text(what) });
  if (id !== arrayType) throw unknownType(c, id, what);
  const inner = { ...place, depth: depth + 1 };
  return readList(c, place, { leastBytes: 12, read: () => readArray(c, inner) });
};

const unknownType = (c: Cursor, id: number, what: string): Error =>
  invalidGguf(c.file.name, `${what} is of type ${id}, which GGUF does not have`);

/**
 * A value of the metadata, its type before it.
 * @throws ModelError GGUF_INVALID
 */
export const readValue = (c: Cursor, what: string, arrays: Place['arrays']): GgufValue => {
  const id = c.uint32(`the type of ${what}`);
  const number = numberTypes.get(id);
  if (number) return readNumber(c, number, what);
  if (id === boolType) return readBoolean(c, what);
  if (id === textType) return c.text(what);
  if (id === arrayType) return readArray(c, { what, depth: 1, arrays });
  throw unknownType(c, id, what);
};
