import { bug, UsageError } from '../../base/index.js';
import {
  checkExpression,
  invalidExpression,
  nodesOf,
  type BinaryNode,
  type Expression,
  type ReduceNode,
  type SiteName,
  type SiteNode,
  type TokenNode,
  type WordNode,
} from '../../language/index.js';
import { float64, sizeOf } from '../../tensor/index.js';
import { Budget, evaluationLimits } from './budget.js';
import { compute, evaluate, isArithmetic, numberOf, onlyNumber, sameShape } from './evaluate.js';
import { partOf } from './part.js';
import { cosineSlope, reductionSlopes } from './reduction-slopes.js';
import { cosine, reduce } from './reductions.js';
import { entropySlope, logitSlope, logprobSlopes, probSlope, type RowSlope } from './score-slopes.js';
import { Scores } from './scores.js';
import { oneToken } from './tokens.js';
import type { ExpressionTensor, ExpressionValue, ExpressionValues } from './values.js';

/** A scalar at a moment of a run, and how it changes with what it reads. */
export interface Differentiated {
  readonly value: number;
  /** Its derivative by the scores of what comes after a position [vocab]. */
  readonly scores: ReadonlyMap<number, Float64Array>;
  /** Its derivative by each number of a site, in the site's own shape. */
  readonly sites: ReadonlyMap<SiteName, Float64Array>;
}

/** What a node gives, and what hands the derivative of the whole by it on to what it was made of. */
interface Traced {
  readonly value: ExpressionValue;
  readonly back: (slope: Float64Array) => void;
}

const without = (what: string, { column }: Expression): UsageError =>
  new UsageError(`${column === undefined ? '' : `column ${column}: `}${what} has no gradient`, {
    code: 'GRADIENT_UNDEFINED',
    hint: 'It changes by jumps or not at all; take logit, logprob, prob, entropy, loss, or a number made of sites.',
  });

const truth = 'what is true or false';

/** What of a node makes it jump, in words; undefined where it has a gradient. */
const jump = (node: Expression): string | undefined => {
  switch (node.kind) {
    case 'token':
      if (node.by === 'rank') return node.by;
      return node.by.startsWith('lens_') ? `${node.by}, which is no part of the computation,` : undefined;
    case 'reduce':
      return node.by === 'nan' ? 'nan, a count,' : undefined;
    case 'unary':
      return node.operator === '!' ? truth : undefined;
    case 'binary':
      return isArithmetic(node.operator) ? undefined : truth;
    default:
      return undefined;
  }
};

/**
 * Refuses an expression that jumps, before anything is run.
 * @throws UsageError GRADIENT_UNDEFINED with the column, EXPRESSION_INVALID
 */
export const checkDifferentiable = (expression: Expression): void => {
  checkExpression(expression);
  for (const node of nodesOf(expression)) {
    const what = jump(node);
    if (what !== undefined) throw without(what, node);
  }
};

const sizeOfValue = (value: ExpressionValue): number => (typeof value === 'object' ? value.data.length : 1);
const numbersOf = (value: ExpressionValue): ExpressionTensor['data'] =>
  typeof value === 'object' ? value.data : Float64Array.of(Number(value));

/** A derivative by each of several numbers that one number went with, as one by that number. */
const gathered = (slope: Float64Array, size: number): Float64Array =>
  slope.length === size ? slope : Float64Array.of(slope.reduce((a, b) => a + b, 0));

/** The derivatives of a ∘ b by a and by b. */
const slopes: Readonly<Record<keyof typeof compute, (a: number, b: number) => readonly [number, number]>> = {
  '+': () => [1, 1],
  '-': () => [1, -1],
  '*': (a, b) => [b, a],
  '/': (a, b) => [1 / b, -a / b ** 2],
};

const constant = (value: ExpressionValue): Traced => ({ value, back: () => undefined });

class Differentiation {
  readonly scores = new Map<number, Float64Array>();
  readonly sites = new Map<SiteName, Float64Array>();
  readonly #budget = new Budget(evaluationLimits);
  readonly #scores: Scores;

  constructor(readonly values: ExpressionValues) {
    this.#scores = new Scores(values, this.#budget);
  }

  trace(node: Expression): Traced {
    switch (node.kind) {
      case 'number':
        return constant(node.value);
      case 'text':
        throw bug('a text beside nothing');
      case 'word':
        return this.#word(node);
      case 'site':
        return this.#site(node);
      case 'token':
        return this.#token(node);
      case 'reduce':
        return this.#reduction(node);
      case 'cosine':
        return this.#cosine(node.left, node.right);
      case 'unary':
        return this.#unary(node.operator, node.of);
      case 'binary':
        return this.#binary(node);
    }
  }

  #word(node: WordNode): Traced {
    const scores = this.#scores;
    const value = evaluate(node, this.values);
    if (node.word === 'entropy') {
      const slope = entropySlope(scores.row(scores.last, false), Number(value));
      return this.#ofScores(value, [{ position: scores.last, slope }]);
    }
    if (node.word !== 'loss') return constant(value);
    const { given } = scores;
    if (given.length === 0)
      throw invalidExpression('one token alone has no loss', 'Give a prompt of several tokens.', node);
    return this.#ofScores(value, logprobSlopes(scores, given, -1 / given.length));
  }

  #token(node: TokenNode): Traced {
    const scores = this.#scores;
    const value = evaluate(node, this.values);
    if (node.by === 'logprob') return this.#ofScores(value, logprobSlopes(scores, scores.inSequence(node) ?? [], 1));
    const position = scores.positionOf(node);
    const [row, id] = [scores.row(position, false), oneToken(node.token, node, this.values)];
    return this.#ofScores(value, [{ position, slope: (node.by === 'logit' ? logitSlope : probSlope)(row, id) }]);
  }

  /** A number made of rows of scores. */
  #ofScores(value: ExpressionValue, rows: readonly RowSlope[]): Traced {
    const back = ([whole = 0]: Float64Array): void => {
      for (const { position, slope } of rows) {
        const before = this.scores.get(position);
        const scaled = slope.map((x) => whole * x);
        this.scores.set(position, before ? before.map((x, i) => x + (scaled[i] ?? 0)) : scaled);
      }
    };
    return { value, back };
  }

  /** Where the part's numbers are in the whole value is found by choosing the same part of their places. */
  #site(node: SiteNode): Traced {
    const value = partOf(node, this.values, this.#budget);
    const whole = this.values.site(node.site);
    const size = sizeOf(whole?.tensor.shape ?? []);
    this.#budget.make(2 * size);
    const places = float64(
      whole?.tensor.shape ?? [],
      Float64Array.from({ length: size }, (_, i) => i),
    );
    const chosen = partOf(node, { ...this.values, site: () => whole && { ...whole, tensor: places } }, this.#budget);
    const back = (slope: Float64Array): void => {
      const sums = this.sites.get(node.site) ?? new Float64Array(size);
      this.sites.set(node.site, sums);
      chosen.data.forEach((place, i) => (sums[place] = (sums[place] ?? 0) + (slope[i] ?? 0)));
    };
    return { value, back };
  }

  #reduction(node: ReduceNode): Traced {
    const { by } = node;
    if (by === 'nan') throw without('nan, a count,', node);
    const of = this.trace(node.of);
    const data = numbersOf(of.value);
    return {
      value: reduce[by](data),
      back: ([whole = 0]) => of.back(reductionSlopes[by](data).map((x) => whole * x)),
    };
  }

  #cosine(left: Expression, right: Expression): Traced {
    const [a, b] = [this.trace(left), this.trace(right)];
    sameShape('cosine', [a.value, b.value], left);
    const [x, y] = [numbersOf(a.value), numbersOf(b.value)];
    const value = cosine(x, y);
    const back = ([whole = 0]: Float64Array): void => {
      a.back(cosineSlope(x, y, value).map((s) => whole * s));
      b.back(cosineSlope(y, x, value).map((s) => whole * s));
    };
    return { value, back };
  }

  #unary(operator: '-' | '!', of: Expression): Traced {
    if (operator === '!') throw without(truth, of);
    const { value, back } = this.trace(of);
    const data = Float64Array.from(numbersOf(value), (x) => -x);
    const turned = typeof value === 'object' ? { ...float64(value.shape, data), axes: value.axes } : -Number(value);
    return { value: turned, back: (slope) => back(slope.map((x) => -x)) };
  }

  /** Number by number; one number goes with each of a tensor. */
  #binary(node: BinaryNode): Traced {
    const { operator, left, right } = node;
    if (!isArithmetic(operator)) throw without(truth, node);
    const [a, b] = [this.trace(left), this.trace(right)];
    const [one, other] = [onlyNumber(a.value), onlyNumber(b.value)];
    if (one === undefined && other === undefined) sameShape(operator, [a.value, b.value], node);
    const like = other === undefined ? b.value : a.value;
    const [x, y] = [numbersOf(a.value), numbersOf(b.value)];
    const pair = (i: number): readonly [number, number] => [one ?? x[i] ?? NaN, other ?? y[i] ?? NaN];
    const data = Float64Array.from({ length: sizeOfValue(like) }, (_, i) => compute[operator](...pair(i)));
    const value = typeof like === 'object' ? { ...float64(like.shape, data), axes: like.axes } : (data[0] ?? NaN);
    const back = (slope: Float64Array): void => {
      a.back(
        gathered(
          slope.map((s, i) => s * slopes[operator](...pair(i))[0]),
          x.length,
        ),
      );
      b.back(
        gathered(
          slope.map((s, i) => s * slopes[operator](...pair(i))[1]),
          y.length,
        ),
      );
    };
    return { value, back };
  }
}

/**
 * What a scalar expression gives on the values of a moment, and its derivatives by what it reads: scores and sites. In
 * float64, reverse mode over the tree. `token`, `step` and `layer` are constants.
 * @throws UsageError GRADIENT_UNDEFINED for what jumps, EXPRESSION_INVALID for several numbers, and as `evaluate`
 */
export const differentiate = (expression: Expression, values: ExpressionValues): Differentiated => {
  checkDifferentiable(expression);
  const work = new Differentiation(values);
  const { value, back } = work.trace(expression);
  const number = numberOf(value, expression);
  back(Float64Array.of(1));
  return { value: number, scores: work.scores, sites: work.sites };
};
