export {
  gradientBatch,
  gradientBytes,
  gradients,
  type BatchGradients,
  type GradientBatchRequest,
  type Gradients,
  type GradientsRequest,
} from './gradients.js';
export { itemValues, scalarBatch, type Encode, type ScalarBatchRequest, type ScalarItem } from './scalars.js';
