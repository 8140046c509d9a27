import {
  add,
  building,
  concatAt,
  div,
  equal,
  inner,
  matMul,
  mul,
  numbers,
  reshape,
  site,
  sliceAt,
  softmax,
  sumLast,
  toFloat,
  topK,
  transpose,
  type Scope,
  type Value,
} from '../../graph/index.js';
import { linear, torchLinear } from './layers.js';

/** A mixture of gated MLPs, of which a router chooses some for each token. */
export interface Mixture {
  readonly modelDim: number;
  readonly neurons: number;
  readonly experts: number;
  /** How many experts a token is given. */
  readonly chosen: number;
  /** Whether the weights of the chosen experts are made to sum to 1. */
  readonly normalized: boolean;
  readonly act: (x: Value) => Value;
  /** What the three matrices of an expert are called. */
  readonly names: { readonly gate: string; readonly up: string; readonly down: string };
}

const slots = ['batch', 'position', 'slot'];

/** 1 where a slot holds an expert. [batch, position, slot] -> [batch, position, slot, expert] */
const held = (chosen: Value, { experts, chosen: k }: Mixture): Value => {
  const values = Array.from({ length: experts }, (_, i) => i);
  const all = numbers(chosen, { shape: [1, 1, 1, experts], axes: [...slots, 'expert'], values });
  return toFloat(equal(reshape(chosen, [0, 0, k, 1], [...slots, 'expert']), all));
};

/** One matrix of every expert on the same input. [batch, position, model] -> [batch, position, expert, neuron] */
const byExpert = (s: Scope, x: Value, { m, name }: { m: Mixture; name: string }): Value => {
  const spec = torchLinear(name, m.neurons, { axis: 'neuron', bias: false });
  const parts = Array.from({ length: m.experts }, (_, e) =>
    reshape(
      linear(inner(s, `experts.${e}`, `experts.${e}.`), x, spec),
      [0, 0, 1, m.neurons],
      ['batch', 'position', 'expert', 'neuron'],
    ),
  );
  return concatAt(parts, 2);
};

/** The sum of what each expert makes of its own input. [batch, position, expert, neuron] -> [batch, position, model] */
const summedDown = (s: Scope, x: Value, m: Mixture): Value => {
  const spec = torchLinear(m.names.down, m.modelDim, { axis: 'model', bias: false });
  const parts = Array.from({ length: m.experts }, (_, e) => {
    const own = reshape(sliceAt(x, 2, e), [0, 0, m.neurons], ['batch', 'position', 'neuron']);
    return linear(inner(s, `experts.${e}`, `experts.${e}.`), own, spec);
  });
  return parts.reduce((sum, part) => add(sum, part));
};

/**
 * Σ over the chosen experts of weight · down(act(gate(x)) ⊙ up(x)). Shazeer 2017; Jiang 2024 (Mixtral) §2.1. Every
 * expert is computed and the chosen ones are picked, so that any choice can be looked at and changed.
 */
export const mixture = (s: Scope, x: Value, m: Mixture): Value =>
  building(s, () => {
    const router = site(s, 'router', linear(s, x, torchLinear('gate', m.experts, { axis: 'expert', bias: false }))); // [batch, position, expert]
    const chosen = site(s, 'chosen', toFloat(topK(router, m.chosen, 'slot'))); // [batch, position, slot]
    const hot = held(chosen, m); // [batch, position, slot, expert]
    const pick = (all: Value): Value => matMul(hot, all); // [batch, position, expert, n] -> [batch, position, slot, n]
    const pre = site(s, 'pre', pick(byExpert(s, x, { m, name: m.names.gate }))); // [batch, position, slot, neuron]
    const preLinear = site(s, 'pre_linear', pick(byExpert(s, x, { m, name: m.names.up }))); // [batch, position, slot, neuron]
    const post = site(s, 'post', mul(m.act(pre), preLinear)); // [batch, position, slot, neuron]
    const weighted = mul(post, slotWeights(router, { hot, m })); // [batch, position, slot, neuron]
    const given = transpose(hot, [0, 1, 3, 2], ['batch', 'position', 'expert', 'slot']);
    return summedDown(s, matMul(given, weighted), m); // [batch, position, model]
  });

/** softmax(router) at the chosen experts. [batch, position, slot, 1] */
const slotWeights = (router: Value, { hot, m }: { hot: Value; m: Mixture }): Value => {
  const all = reshape(softmax(router), [0, 0, 1, m.experts], [...slots, 'expert']);
  const weights = sumLast(mul(hot, all)); // [batch, position, slot, 1]
  if (!m.normalized) return weights;
  const whole = sumLast(reshape(weights, [0, 0, 1, m.chosen], [...slots, 'expert'])); // [batch, position, 1, 1]
  return div(weights, whole);
};
