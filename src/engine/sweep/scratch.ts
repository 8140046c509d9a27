import { allocated, sizeOf, type DType, type Tensor } from '../../tensor/index.js';

/** Memory that is used again and again under a name: what it held before is lost. */
export class Scratch {
  readonly #held = new Map<string, Tensor>();

  /** A tensor whose numbers are to be written. */
  tensor(name: string, dtype: DType, shape: readonly number[]): Tensor {
    const size = sizeOf(shape);
    const known = this.#held.get(name);
    const memory = known?.dtype === dtype && known.data.length >= size ? known : allocated(dtype, [size]);
    this.#held.set(name, memory);
    return { ...memory, shape, data: memory.data.subarray(0, size) } as Tensor;
  }
}
