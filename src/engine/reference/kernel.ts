import { EngineError } from '../../base/index.js';
import { sizeOf, type DType, type DTypeArrays, type FloatTensor, type Tensor } from '../../tensor/index.js';

/** How a graph's float32 values are held and rounded. */
export type Precision = 'float32' | 'float64';

/** One operator, given its operands; it finds shapes itself, so that inference is checked by it. */
export type Kernel<Attrs> = (attrs: Attrs, inputs: readonly Tensor[], precision: Precision) => Tensor;

/** Something that cannot be computed, as the engine's error. */
export const failed = (message: string): EngineError =>
  new EngineError(message, {
    code: 'ENGINE_FAILED',
    hint: 'The values given to the graph do not fit it: check ids, shapes and edits; otherwise please report it.',
  });

/** The element type that holds a graph's element type. */
export const heldAs = (dtype: DType, precision: Precision): DType => (dtype === 'float32' ? precision : dtype);

/** The operand at `i`. */
export const operand = (inputs: readonly Tensor[], i: number): Tensor => {
  const tensor = inputs[i];
  if (!tensor) throw failed(`operand ${i} is missing`);
  return tensor;
};

/** The operand at `i`, which must have floating point. */
export const floatOperand = (inputs: readonly Tensor[], i: number): FloatTensor => {
  const tensor = operand(inputs, i);
  if (tensor.dtype === 'float32' || tensor.dtype === 'float64') return tensor;
  throw failed(`operand ${i} is ${tensor.dtype}, not floating point`);
};

const arrays: { readonly [D in DType]: (size: number) => DTypeArrays[D] } = {
  float32: (size) => new Float32Array(size),
  float64: (size) => new Float64Array(size),
  int64: (size) => new BigInt64Array(size),
  bool: (size) => new Uint8Array(size),
};

/** A tensor of zeros. */
export const zeros = <D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> => ({
  dtype,
  shape,
  data: arrays[dtype](sizeOf(shape)),
});

/** A tensor with the elements of another at these places, in a new shape. */
export const pick = (tensor: Tensor, shape: readonly number[], places: Int32Array): Tensor => {
  const result = zeros(tensor.dtype, shape);
  const [from, to] = [tensor.data, result.data] as [Float64Array, Float64Array];
  places.forEach((place, i) => (to[i] = from[place] ?? 0));
  return result;
};
