import { building, mul, site, type Scope, type Value } from '../../graph/index.js';
import { linear, type LinearSpec } from './layers.js';

/** down(act(up(x))). The first matrix gives `pre`, the second reads `post`. [batch, position, model] -> the same */
export const plainMlp = (
  s: Scope,
  x: Value,
  { up, down, act }: { readonly up: LinearSpec; readonly down: LinearSpec; readonly act: (x: Value) => Value },
): Value =>
  building(s, () => {
    const pre = site(s, 'pre', linear(s, x, up)); // [batch, position, neuron]
    return linear(s, site(s, 'post', act(pre)), down);
  });

/** down(act(gate(x)) ⊙ up(x)). Shazeer 2020 (GLU variants) eq. 6. [batch, position, model] -> the same */
export const gatedMlp = (
  s: Scope,
  x: Value,
  {
    gate,
    up,
    down,
    act,
  }: {
    readonly gate: LinearSpec;
    readonly up: LinearSpec;
    readonly down: LinearSpec;
    readonly act: (x: Value) => Value;
  },
): Value =>
  building(s, () => {
    const pre = site(s, 'pre', linear(s, x, gate)); // [batch, position, neuron]
    const preLinear = site(s, 'pre_linear', linear(s, x, up)); // [batch, position, neuron]
    return linear(s, site(s, 'post', mul(act(pre), preLinear)), down);
  });
