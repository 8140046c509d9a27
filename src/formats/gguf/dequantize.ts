import { ModelError } from '../../base/index.js';
import type { StoredDType } from '../../tensor/index.js';
import { widen } from '../widen.js';
import type { Decode } from './block-bytes.js';
import { ggmlLayouts, type GgmlType } from './ggml-types.js';
import { q2K, q3K, q4K, q5K, q6K } from './k-quants.js';
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from './simple-quants.js';

/** Types that are plain numbers, as every file of weights has them. */
const plainTypes = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
} as const satisfies Partial<Record<GgmlType, StoredDType>>;

const blockTypes = {
  Q8_0: q8_0,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q2_K: q2K,
  Q3_K: q3K,
  Q4_K: q4K,
  Q5_K: q5K,
  Q6_K: q6K,
} as const satisfies Partial<Record<GgmlType, Decode>>;

/** Types whose numbers can be read. */
export type ReadableType = keyof typeof plainTypes | keyof typeof blockTypes;

export const isReadable = (type: GgmlType): type is ReadableType => type in plainTypes || type in blockTypes;

/** The dtype of a type of plain numbers; undefined for one of blocks. */
export const plainDType = (type: GgmlType): StoredDType | undefined =>
  (plainTypes as Partial<Record<GgmlType, StoredDType>>)[type];

/** The error of a tensor in blocks of a kind that is not read. */
export const unreadableType = (file: string, name: string, type: GgmlType): ModelError =>
  new ModelError(`${file}: tensor ${name} is quantised as ${type}, which is not read`, {
    code: 'TENSOR_DTYPE',
    hint: `Take the model in F16, or quantised as ${Object.keys(blockTypes).join(', ')} (such as a file named Q4_K_M or Q8_0).`,
    details: { file, name, type },
  });

/**
 * Whole blocks as float32, bit for bit as ggml's own reference gives them: a float16 scale times small whole numbers is
 * exact in float64, and is rounded once, when it is stored.
 * @param bytes any number of whole blocks, little-endian
 * @source ggml `ggml-quants.c`; the `gguf` package for Python, `gguf.quants`
 */
export const dequantize = (type: ReadableType, bytes: Uint8Array): Float32Array => {
  const dtype = plainDType(type);
  if (dtype) return widen(dtype, Uint8Array.from(bytes).buffer);
  const { numbers, bytes: size } = ggmlLayouts[type];
  const out = new Float32Array((bytes.length / size) * numbers);
  (blockTypes as Partial<Record<GgmlType, Decode>>)[type]?.(bytes, out);
  return out;
};
