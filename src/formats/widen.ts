import { bfloat16ToFloat32, float16ToFloat32, type StoredDType } from '../tensor/index.js';

type Widen = (buffer: ArrayBuffer) => Float32Array;

const widenings: Readonly<Record<StoredDType, Widen>> = {
  float64: (buffer) => Float32Array.from(new Float64Array(buffer)),
  float32: (buffer) => new Float32Array(buffer),
  float16: (buffer) => float16ToFloat32(new Uint16Array(buffer)),
  bfloat16: (buffer) => bfloat16ToFloat32(new Uint16Array(buffer)),
  int64: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number),
  int32: (buffer) => Float32Array.from(new Int32Array(buffer)),
  int16: (buffer) => Float32Array.from(new Int16Array(buffer)),
  int8: (buffer) => Float32Array.from(new Int8Array(buffer)),
  uint8: (buffer) => Float32Array.from(new Uint8Array(buffer)),
  bool: (buffer) => Float32Array.from(new Uint8Array(buffer), (byte) => (byte === 0 ? 0 : 1)),
};

/**
 * Stored numbers as float32: float16, bfloat16 and float32 exactly, wider types to the nearest.
 * @param buffer whole numbers of the dtype, little-endian; float32 is returned as a view of it
 */
export const widen = (dtype: StoredDType, buffer: ArrayBuffer): Float32Array => widenings[dtype](buffer);
