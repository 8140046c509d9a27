import type { GgmlType } from './ggml-types.js';

/** Numbers of one type, as a GGUF array holds them. */
export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/**
 * A value of a GGUF file's metadata. Whole numbers of 64 bits are `bigint` only beyond 2^53. Arrays of numbers are
 * typed arrays; of texts, booleans and arrays, plain ones.
 */
export type GgufValue = string | number | bigint | boolean | GgufNumbers | readonly GgufValue[];

export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** A tensor as a GGUF file stores it. */
export interface GgufTensor {
  readonly type: GgmlType;
  /** As in PyTorch, slowest first: ggml's dimensions reversed. */
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** What the header of a GGUF file says, checked against the file's size. */
export interface GgufFile {
  readonly version: 2 | 3;
  readonly metadata: GgufMetadata;
  /** By name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Tensors begin at multiples of this, in bytes. */
  readonly alignment: number;
}

/** Where the bytes of a GGUF file come from: a file, or memory. */
export interface GgufSource {
  /** For messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** These bytes, all of them. */
  read(offset: number, length: number): Promise<Uint8Array>;
}
