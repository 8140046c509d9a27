import {
  checkExpression,
  invalidExpression,
  type BinaryNode,
  type BinaryOperator,
  type Expression,
  type WordNode,
} from '../../language/index.js';
import { float64 } from '../../tensor/index.js';
import { Budget, evaluationLimits, type EvaluationLimits } from './budget.js';
import { partOf } from './part.js';
import { cosine, reduce } from './reductions.js';
import { Scores } from './scores.js';
import { oneToken } from './tokens.js';
import type { ExpressionTensor, ExpressionValue, ExpressionValues } from './values.js';

export const compute: Readonly<Record<'+' | '-' | '*' | '/', (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

/** As in C: NaN is unequal to all and neither less nor greater. */
const compare: Readonly<Record<'==' | '!=' | '<' | '<=' | '>' | '>=', (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

export const isArithmetic = (operator: BinaryOperator): operator is keyof typeof compute =>
  Object.hasOwn(compute, operator);
const isComparison = (operator: BinaryOperator): operator is keyof typeof compare => Object.hasOwn(compare, operator);

const shown = (tensor: ExpressionTensor): string => `[${tensor.shape.join(', ')}] (${tensor.axes.join(', ')})`;

/** A number, or a tensor's only one; of a position that is not computed NaN. True is 1. */
export const onlyNumber = (value: ExpressionValue): number | undefined => {
  if (typeof value === 'object') return value.data.length > 1 ? undefined : (value.data[0] ?? NaN);
  return Number(value);
};

/** @throws UsageError EXPRESSION_INVALID for a tensor of several numbers */
export const numberOf = (value: ExpressionValue, node: Expression): number => {
  const number = onlyNumber(value);
  if (number !== undefined) return number;
  throw invalidExpression(
    `one number is needed, and this is a tensor of shape ${shown(value as ExpressionTensor)}`,
    'Make one of it, as in max(...) or norm(...), or choose one element: SITE[position=-1, head=0].',
    node,
  );
};

/** As in C: what is not 0 is true, NaN too. */
const truthOf = (value: ExpressionValue, node: Expression): boolean =>
  typeof value === 'boolean' ? value : numberOf(value, node) !== 0;

/** @throws UsageError EXPRESSION_INVALID for tensors of different shapes */
export const sameShape = (by: string, [a, b]: readonly [ExpressionValue, ExpressionValue], node: Expression): void => {
  const [first, second] = [a, b].map((v) => (typeof v === 'object' ? shown(v) : 'a number'));
  const shapes = [a, b].map((v) => (typeof v === 'object' ? v.shape.join() : ''));
  if (shapes[0] === shapes[1]) return;
  throw invalidExpression(
    `\`${by}\` takes tensors of equal shape, and these are ${first} and ${second}`,
    'Choose parts of equal shape with selectors.',
    node,
  );
};

class Evaluation {
  readonly #scores: Scores;
  constructor(
    readonly values: ExpressionValues,
    readonly budget: Budget,
  ) {
    this.#scores = new Scores(values, budget);
  }

  value(node: Expression): ExpressionValue {
    switch (node.kind) {
      case 'number':
        return node.value;
      case 'text':
        return oneToken(node.text, { ...node, by: 'token' }, this.values);
      case 'word':
        return this.#word(node);
      case 'site':
        return partOf(node, this.values, this.budget);
      case 'token':
        return this.#scores.of(node);
      case 'reduce':
        return reduce[node.by](this.#numbers(this.value(node.of)));
      case 'cosine':
        return this.#cosine(node.left, node.right);
      case 'unary':
        if (node.operator === '!') return !truthOf(this.value(node.of), node.of);
        return this.#map(this.value(node.of), (x) => -x);
      case 'binary':
        return this.#binary(node);
    }
  }

  #binary(node: BinaryNode): ExpressionValue {
    const { operator, left, right } = node;
    const first = this.value(left);
    if (operator === '&&') return truthOf(first, left) && truthOf(this.value(right), right);
    if (operator === '||') return truthOf(first, left) || truthOf(this.value(right), right);
    const second = this.value(right);
    if (isComparison(operator)) return compare[operator](numberOf(first, left), numberOf(second, right));
    return isArithmetic(operator) ? this.#combine(node, [first, second], compute[operator]) : NaN;
  }

  #word({ word, column }: WordNode): number {
    const { values } = this;
    if (word === 'entropy' || word === 'loss') return this.#scores[word]();
    const known = { step: values.step, layer: values.layer, token: values.tokens.at(-1)?.id }[word];
    if (known !== undefined) return known;
    const hint = word === 'layer' ? 'Only inside a block there is one.' : 'Give a prompt.';
    throw invalidExpression(`there is no ${word} here`, hint, column === undefined ? {} : { column });
  }

  /** The numbers that a function goes over. */
  #numbers(value: ExpressionValue): ExpressionTensor['data'] {
    const data = typeof value === 'object' ? value.data : Float64Array.of(Number(value));
    this.budget.read(data.length);
    return data;
  }

  #cosine(left: Expression, right: Expression): number {
    const [a, b] = [this.value(left), this.value(right)];
    sameShape('cosine', [a, b], left);
    return cosine(this.#numbers(a), this.#numbers(b));
  }

  /** Number by number; one number goes with each of a tensor. */
  #combine(
    node: BinaryNode,
    [a, b]: readonly [ExpressionValue, ExpressionValue],
    by: (x: number, y: number) => number,
  ): ExpressionValue {
    const [one, other] = [onlyNumber(a), onlyNumber(b)];
    if (other !== undefined) return this.#map(a, (x) => by(x, other));
    if (one !== undefined) return this.#map(b, (y) => by(one, y));
    sameShape(node.operator, [a, b], node);
    const second = (b as ExpressionTensor).data;
    return this.#map(a, (x, i) => by(x, second[i] ?? NaN));
  }

  #map(value: ExpressionValue, by: (x: number, i: number) => number): ExpressionValue {
    if (typeof value !== 'object') return by(Number(value), 0);
    const { data, shape, axes } = value;
    this.budget.make(data.length);
    const result = new Float64Array(data.length);
    for (let i = 0; i < result.length; i++) result[i] = by(data[i] ?? NaN, i);
    return { ...float64(shape, result), axes };
  }
}

/**
 * What an expression gives on the values of a moment. In float64; `&&` and `||` leave their right side out where the
 * left decides.
 * @throws UsageError EXPRESSION_INVALID where parts do not fit or the work is over the limits, SITE_NOT_CAPTURED,
 * SELECTOR_INVALID, AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE
 */
export const evaluate = (
  expression: Expression,
  values: ExpressionValues,
  limits: EvaluationLimits = evaluationLimits,
): ExpressionValue => {
  checkExpression(expression);
  return new Evaluation(values, new Budget(limits)).value(expression);
};

/**
 * Whether a condition holds: what is true, or one number that is not 0.
 * @throws UsageError as `evaluate`; EXPRESSION_INVALID with its shape for a tensor of several numbers
 */
export const holds = (
  condition: Expression,
  values: ExpressionValues,
  limits: EvaluationLimits = evaluationLimits,
): boolean => truthOf(evaluate(condition, values, limits), condition);
