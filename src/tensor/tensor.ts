import { bug } from '../base/index.js';

/** How numbers are stored in a file. Names are the field's; safetensors' own are mapped in `formats`. */
export type StoredDType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** How numbers are held in memory while computing. */
export type DType = 'float32' | 'float64' | 'int64' | 'bool';

export interface DTypeArrays {
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  bool: Uint8Array;
}

/** A dense row-major array of numbers. `data.length` is the product of `shape`. */
export type Tensor<D extends DType = DType> = {
  [K in D]: { readonly dtype: K; readonly shape: readonly number[]; readonly data: DTypeArrays[K] };
}[D];

export type FloatTensor = Tensor<'float32' | 'float64'>;

export const bytesPer: Readonly<Record<StoredDType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Number of elements of a shape; 1 for a scalar. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Row-major strides, in elements. */
export const stridesOf = (shape: readonly number[]): number[] => {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  return strides;
};

const checked = <T extends Tensor>(tensor: T): T => {
  if (tensor.data.length !== sizeOf(tensor.shape))
    throw bug(`a tensor of shape [${tensor.shape.join(', ')}] cannot hold ${String(tensor.data.length)} numbers`);
  return tensor;
};

export const float32 = (shape: readonly number[], data: Float32Array): Tensor<'float32'> =>
  checked({ dtype: 'float32', shape, data });
export const float64 = (shape: readonly number[], data: Float64Array): Tensor<'float64'> =>
  checked({ dtype: 'float64', shape, data });
export const int64 = (shape: readonly number[], data: BigInt64Array): Tensor<'int64'> =>
  checked({ dtype: 'int64', shape, data });
export const bool = (shape: readonly number[], data: Uint8Array): Tensor<'bool'> =>
  checked({ dtype: 'bool', shape, data });

/** Integers as an int64 tensor. */
export const int64From = (shape: readonly number[], values: readonly number[]): Tensor<'int64'> => {
  const data = new BigInt64Array(values.length); // `from` with a function takes five times as long
  for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i] ?? 0);
  return int64(shape, data);
};

/** The numbers of a tensor as float32: the tensor's own array where it is float32 already. */
export const toFloat32 = (tensor: Tensor): Float32Array => {
  if (tensor.dtype === 'float32') return tensor.data;
  if (tensor.dtype === 'int64') return Float32Array.from(tensor.data, Number);
  return Float32Array.from(tensor.data);
};
