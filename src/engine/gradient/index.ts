export { gradientBytes, gradients, type Gradients, type GradientsRequest } from './gradients.js';
