import type { StoredDType, Tensor } from '../tensor/index.js';
import type { ReadableType } from './gguf/dequantize.js';
import type { Layout } from './gguf/layout.js';
import type { StoredTensor } from './safetensors.js';

/** A tensor of a model's files. `file` is absolute and real: no part of it is a symbolic link. */
export interface WeightInfo {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Where the bytes in the file are more than numbers of `dtype` in the order of `shape`: only `read` gives the tensor. */
  readonly encoding?: Encoding;
}

/** How a GGUF file holds a tensor: in blocks of numbers, and rearranged. The dtype of blocks counts as float32. */
export interface Encoding {
  readonly type: ReadableType;
  readonly layout: Layout['kind'];
}

/** One file of weights and what its header says. */
export interface WeightFile {
  /** Absolute and real. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** A model's weights, wherever they are. Nothing is read until asked for. */
export interface Weights {
  names(): readonly string[];
  /** @throws ModelError TENSOR_MISSING */
  info(name: string): WeightInfo;
  /**
   * A whole tensor, as float32. float16, bfloat16 and float32 are exact; wider types are rounded.
   * @throws ModelError TENSOR_MISSING, FILE_UNREADABLE
   */
  read(name: string): Promise<Tensor<'float32'>>;
  /**
   * Bytes of a tensor as they are stored (little-endian).
   * @param start byte within the tensor
   * @throws ModelError TENSOR_MISSING, FILE_UNREADABLE
   */
  readBytes(name: string, start: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
