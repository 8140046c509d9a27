import type { Tensor } from '../../tensor/index.js';

/** A value of either floating type as float32: the reference engine may compute in float64. */
export const asFloat32 = (tensor: Tensor): Tensor<'float32'> => {
  if (tensor.dtype === 'float32') return tensor;
  return { dtype: 'float32', shape: tensor.shape, data: Float32Array.from(tensor.data as Float64Array) };
};
