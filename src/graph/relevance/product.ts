import { add, constant, div, linear, matMul, max, mul, reshape, reshapeLike, transpose } from '../algebra.js';
import type { Value } from '../builder.js';
import { matrixProduct } from '../gradients/product.js';
import { operandOf, type Branch, type Reached } from '../gradients/rule.js';
import type { OpAttrs } from '../ops.js';
import { stabilized } from './elementwise.js';
import type { LinearRule } from './rules.js';

/** A·B: half of the relevance to each operand that takes part. Achtibat 2024 eq. 14 */
export const matrixRelevance = (_: object, at: Reached): readonly (Branch | undefined)[] => {
  const both = (at.live ?? []).filter(Boolean).length > 1;
  return matrixProduct({}, at).map((branch) => branch && (() => (both ? mul(branch(), 0.5) : branch())));
};

/** R / z of another weight than the layer's: what comes in is g·y, what is divided by is x·W'. */
const redistributed = (at: Reached, changed: (weight: Value) => Value, layout: string): Value => {
  const [x, weight] = [operandOf(at, 0), operandOf(at, 1)];
  const [into, outOf] = [x.type.axes.at(-1) ?? '', at.output.type.axes.at(-1) ?? ''];
  const rows = layout === 'out,in' ? [outOf, into] : [into, outOf];
  const own = reshape(changed(weight), [0, 0], rows);
  const turned = transpose(own, [1, 0], rows.toReversed());
  const [forward, back] = layout === 'out,in' ? [turned, own] : [own, turned];
  const z = stabilized(matMul(x, forward), 1e-9);
  return matMul(div(mul(at.upstream, at.output), z), back);
};

const positive = (w: Value): Value => max(w, constant(w, 0));

/** By what a linear layer's relevance is handed on, as a multiplier of its input. */
const multiplier = (at: Reached, rule: LinearRule, attrs: OpAttrs['Linear']): Value => {
  const { layout } = attrs;
  const weight = operandOf(at, 1);
  const axis = operandOf(at, 0).type.axes.at(-1) ?? '';
  const through = (g: Value): Value => linear(g, weight, { layout: layout === 'out,in' ? 'in,out' : 'out,in', axis });
  switch (rule.rule) {
    case 'epsilon':
      if (rule.epsilon === 0) return through(at.upstream);
      return through(div(mul(at.upstream, at.output), stabilized(at.output, rule.epsilon)));
    case 'gamma':
      return redistributed(at, (w) => add(w, mul(positive(w), rule.gamma)), layout);
    case 'alpha-beta':
      return redistributed(at, positive, layout);
    case 'identity':
      return div(reshapeLike(mul(at.upstream, at.output), operandOf(at, 0)), stabilized(operandOf(at, 0), 1e-9));
  }
};

/** x·W: by the layer's rule; a weight has no relevance. */
export const linearRelevance = (
  attrs: OpAttrs['Linear'],
  at: Reached,
  rule: LinearRule,
): readonly (Branch | undefined)[] => [() => multiplier(at, rule, attrs)];
