import { bug } from '../../../base/index.js';
import type { Weights } from '../../../formats/index.js';
import { bytesPer, float32, sizeOf } from '../../../tensor/index.js';
import { randomNumbers } from './random.js';

/** A weight of a random graph: its shape, and where in `weightPool` it starts, in elements. */
export interface PooledWeight {
  readonly shape: readonly number[];
  readonly start: number;
  readonly dtype: 'float32' | 'bfloat16';
}

const poolSize = 4096;

/** The numbers that all weights of random graphs are parts of. Each is also a bfloat16. */
export const weightPool = ((): Float32Array => {
  const bits = new Uint32Array(Float32Array.from(randomNumbers(poolSize, 7), (x) => 2 * x - 1).buffer);
  return new Float32Array(bits.map((b) => b & 0xffff0000).buffer);
})();

/** The bytes of one file that holds the pool as float32, and after it as bfloat16. */
export const poolFile = (): Uint8Array => {
  const upper = Uint16Array.from(new Uint32Array(weightPool.buffer), (b) => b >>> 16);
  const bytes = new Uint8Array(6 * poolSize);
  bytes.set(new Uint8Array(weightPool.buffer));
  bytes.set(new Uint8Array(upper.buffer), 4 * poolSize);
  return bytes;
};

/** Weights in a file that `poolFile` made; `file` is its absolute and real path. */
export const pooledWeights = (weights: ReadonlyMap<string, PooledWeight>, file: string): Weights => {
  const weight = (name: string): PooledWeight => {
    const known = weights.get(name);
    if (!known) throw bug(`no weight ${name}`);
    return known;
  };
  return {
    names: () => [...weights.keys()],
    info: (name) => {
      const { shape, start, dtype } = weight(name);
      const offset = (dtype === 'float32' ? 0 : 4 * poolSize) + bytesPer[dtype] * start;
      return { name, dtype, shape, file, offset, length: bytesPer[dtype] * sizeOf(shape) };
    },
    read: async (name) => {
      const { shape, start } = weight(name);
      return float32(shape, weightPool.slice(start, start + sizeOf(shape)));
    },
    readBytes: () => Promise.reject(bug('a random graph reads no bytes')),
    close: () => Promise.resolve(),
  };
};
