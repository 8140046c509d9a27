import * as form from './gradients/form.js';
import * as elementwiseGradient from './gradients/elementwise.js';
import * as reduce from './gradients/reduce.js';
import { flat, type Branch, type Reached } from './gradients/rule.js';
import type { Node, Param } from './graph.js';
import type { OpTable } from './ops.js';
import * as elementwise from './relevance/elementwise.js';
import { linearRelevance, matrixRelevance } from './relevance/product.js';
import type { LinearRule, RelevanceRules } from './relevance/rules.js';

/** What a rule is asked for: the operation, and the rule of linear layers that holds here. */
type Asked = readonly [at: Reached, linear: LinearRule];

/**
 * Layer-wise relevance, one row an op, in the form of a changed backward pass: what goes back are multipliers, and a
 * value's relevance is the value times its own. Where the rule is that of the gradient, gradient times input is the
 * relevance. What is `flat` counts as constant: divisors of norms, and all that only they are made of.
 * @source Achtibat 2024, "AttnLRP: attention-aware layer-wise relevance propagation for transformers"
 */
export const relevance: OpTable<Asked, readonly (Branch | undefined)[]> = {
  Neg: elementwiseGradient.negation,
  Abs: elementwise.identity,
  Sqrt: flat, // the divisor of a norm
  Reciprocal: flat,
  Exp: flat,
  Log: flat,
  Tanh: elementwise.identity,
  Sigmoid: elementwise.identity,
  Erf: elementwise.identity,
  Relu: elementwise.identity,
  Gelu: elementwise.identity,
  Not: flat,
  Cast: elementwiseGradient.cast,
  Add: elementwiseGradient.sum,
  Sub: elementwiseGradient.difference,
  Mul: elementwise.product,
  Div: elementwise.quotient,
  Pow: elementwise.identity,
  Min: elementwiseGradient.extreme,
  Max: elementwiseGradient.extreme,
  Greater: flat,
  Less: flat,
  Equal: flat,
  And: flat,
  Or: flat,
  Where: elementwiseGradient.choice,
  Softmax: reduce.softmax, // x·(R − y·ΣR) is x times the gradient: Achtibat 2024 eq. 13
  ReduceSum: reduce.sum,
  ReduceMean: reduce.mean,
  ReduceMax: reduce.extreme,
  ReduceMin: reduce.extreme,
  TopK: flat,
  MatMul: matrixRelevance,
  Linear: linearRelevance,
  Reshape: form.reshaping,
  Transpose: form.transposing,
  Slice: form.slicing,
  Concat: form.joining,
  Gather: form.gathering,
  ReshapeLike: form.reshaping,
  ExpandLike: form.stretching,
  ScatterAdd: form.scattering,
  Part: form.parting,
  Constant: flat,
};

/** Does nothing go back through this operation? */
export const stopsRelevance = ({ op }: Node, { attention }: RelevanceRules): boolean =>
  Object.is(relevance[op], flat) || (op === 'Softmax' && attention === 'values');

/** `relevance` for an operator that is only known at run time. `params`: the graph's, which name the weights. */
export const relevanceOf = (
  node: Node,
  at: Reached,
  { rules, params }: { readonly rules: RelevanceRules; readonly params: readonly Param[] },
): readonly (Branch | undefined)[] => {
  if (stopsRelevance(node, rules)) return [];
  const weight = node.op === 'Linear' ? params.find((p) => p.id === node.inputs[1])?.name : undefined;
  const own = weight === undefined ? undefined : rules.byWeight?.[weight];
  const row = relevance[node.op] as (attrs: object, ...asked: Asked) => readonly (Branch | undefined)[];
  return row(node.attrs, at, own ?? rules.linear);
};
