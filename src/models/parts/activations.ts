import { gelu, mul, relu, sigmoid, tanh, type Value } from '../../graph/index.js';
import { unsupportedField } from '../config/config-reader.js';

const silu = (x: Value): Value => mul(x, sigmoid(x));

/** Activations by Hugging Face's names (transformers `ACT2FN`). */
const activations: Readonly<Record<string, (x: Value) => Value>> = {
  gelu: (x) => gelu(x, 'none'),
  gelu_fast: (x) => gelu(x, 'tanh'),
  gelu_new: (x) => gelu(x, 'tanh'), // tanh GELU; PyTorch defaults to erf
  gelu_pytorch_tanh: (x) => gelu(x, 'tanh'),
  gelu_python: (x) => gelu(x, 'none'),
  linear: (x) => x,
  quick_gelu: (x) => mul(x, sigmoid(mul(x, 1.702))),
  relu,
  relu2: (x) => mul(relu(x), relu(x)),
  sigmoid,
  silu,
  swish: silu,
  tanh,
};

export const activationNames = Object.keys(activations);

/** The activation of a config field. @throws ModelError CONFIG_FIELD_UNSUPPORTED */
export const activation = (field: string, name: string): ((x: Value) => Value) => {
  const found = Object.hasOwn(activations, name) ? activations[name] : undefined;
  if (!found) throw unsupportedField(field, name, `Activations: ${activationNames.join(', ')}.`);
  return found;
};
