import { multiplyDims, type Dim, type ValueType } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import { failed, heldAs, zeros, type Precision } from './kernel.js';

/** Numbers for named extents, as the values seen so far have them. */
export class SeenExtents {
  readonly #seen = new Map<string, number>();

  /** Does a value with this extent fit the dimension? A name seen for the first time takes the extent. */
  fits(dim: Dim, extent: number): boolean {
    if (typeof dim === 'number') return dim === extent;
    if (!dim.includes('*') && !this.#seen.has(dim)) this.#seen.set(dim, extent);
    const factors = dim.split('*').map((f) => (/^\d+$/.test(f) ? Number(f) : this.#seen.get(f)));
    const product = multiplyDims(factors.filter((f) => f !== undefined));
    return factors.includes(undefined) || product === extent;
  }
}

/**
 * Checks a value against the type that the graph gives it.
 * @throws EngineError ENGINE_FAILED
 */
export const checkFit = (
  what: string,
  { tensor, type, extents, precision }: { tensor: Tensor; type: ValueType; extents: SeenExtents; precision: Precision },
): void => {
  const { shape, dtype } = tensor;
  const misfit = shape.length !== type.shape.length || type.shape.some((d, i) => !extents.fits(d, shape[i] ?? 0));
  if (misfit || dtype !== heldAs(type.dtype, precision))
    throw failed(
      `${what} is ${dtype} [${shape.join(', ')}] where the graph has ${type.dtype} [${type.shape.join(', ')}]`,
    );
};

/** A value from outside as it is held inside: floating point in the precision of the engine. */
export const held = (tensor: Tensor, type: ValueType, precision: Precision): Tensor => {
  const dtype = heldAs(type.dtype, precision);
  const floats = tensor.dtype === 'float32' || tensor.dtype === 'float64';
  if (tensor.dtype === dtype || !floats || (dtype !== 'float32' && dtype !== 'float64')) return tensor;
  const copy = zeros(dtype, tensor.shape);
  copy.data.set(tensor.data);
  return copy;
};
