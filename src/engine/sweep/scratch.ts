import { float32, sizeOf, type Tensor } from '../../tensor/index.js';

/** Memory that is used again and again under a name: what it held before is lost. */
export class Scratch {
  readonly #held = new Map<string, Float32Array>();

  /** A tensor whose numbers are to be written. */
  tensor(name: string, shape: readonly number[]): Tensor<'float32'> {
    const size = sizeOf(shape);
    const known = this.#held.get(name);
    const memory = known && known.length >= size ? known : new Float32Array(size);
    this.#held.set(name, memory);
    return float32(shape, memory.subarray(0, size));
  }

  /** Values [batch, row, ...] side by side, as [1, row, ...]. */
  sideBySide(name: string, values: readonly Tensor<'float32'>[]): Tensor<'float32'> {
    const rows = values.reduce((sum, { shape: [batch = 1, row = 1] }) => sum + batch * row, 0);
    const all = this.tensor(name, [1, rows, ...(values[0]?.shape.slice(2) ?? [])]);
    let next = 0;
    for (const { data } of values) {
      all.data.set(data, next);
      next += data.length;
    }
    return all;
  }
}
