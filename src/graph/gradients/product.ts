import { linear, matMul, reshape, transpose } from '../algebra.js';
import type { Value } from '../builder.js';
import type { OpAttrs } from '../ops.js';
import { operandOf, type GradientRule } from './rule.js';

/** The last two axes exchanged. */
const turned = (x: Value): Value => {
  const rank = x.type.shape.length;
  const perm = [...x.type.shape.keys()].map((i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return transpose(
    x,
    perm,
    perm.map((i) => x.type.axes[i] ?? ''),
  );
};

/** g·Bᵀ and Aᵀ·g. */
export const matrixProduct: GradientRule<object> = (_, at) => [
  () => matMul(at.upstream, turned(operandOf(at, 1))),
  () => matMul(turned(operandOf(at, 0)), at.upstream),
];

/** All rows below each other; the axis of the numbers in them gets a name. [..., n] -> [row, n] */
const rowsOf = (x: Value, axis: string): Value => reshape(x, [-1, Number(x.type.shape.at(-1))], ['row', axis]);

/** The gradient of the weight, in its own layout: gᵀ·x or xᵀ·g over all rows. */
const weightGradient = (x: Value, g: Value, { weight, layout }: { weight: Value; layout: string }): Value => {
  const [first, second] = layout === 'out,in' ? [g, x] : [x, g];
  const [row = '', column = ''] = weight.type.axes;
  return matMul(turned(rowsOf(first, row)), rowsOf(second, column));
};

/** g·W: a product with the same weight in the other layout, which needs no transposed copy of it. */
export const linearProduct: GradientRule<OpAttrs['Linear']> = ({ layout }, at) => {
  const [x, weight] = [operandOf(at, 0), operandOf(at, 1)];
  const back = layout === 'out,in' ? 'in,out' : 'out,in';
  return [
    () => linear(at.upstream, weight, { layout: back, axis: x.type.axes.at(-1) ?? '' }),
    () => weightGradient(x, at.upstream, { weight, layout }),
  ];
};
