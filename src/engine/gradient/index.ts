export {
  gradientBatch,
  gradientBytes,
  gradients,
  type BatchGradients,
  type GradientBatchRequest,
  type GradientItem,
  type Gradients,
  type GradientsRequest,
} from './gradients.js';
