import type { Vectors } from './vectors.js';

/** A scalar at one point, and how it changes there with each number of its input. */
export interface Slope {
  readonly value: number;
  readonly gradient: Vectors;
}

/**
 * A scalar as a smooth function of its input's vectors: a score of a text, by the embeddings of its tokens. Points are
 * independent, so that they may run together.
 */
export interface SmoothScalar {
  /** The input that is explained. */
  readonly input: Vectors;
  slopes(points: readonly Vectors[]): Promise<readonly Slope[]>;
  values(points: readonly Vectors[]): Promise<readonly number[]>;
}

/** A scalar as a function of which features of its input are there; what takes the place of others is the model's. */
export interface Game {
  readonly features: number;
  /** @param coalitions [coalition][feature] */
  values(coalitions: readonly (readonly boolean[])[]): Promise<readonly number[]>;
}

/**
 * What a method says of each row or feature of the input.
 * @template Extra what a method tells besides
 */
export interface Attribution {
  readonly scores: readonly number[];
  /** What the scalar is. */
  readonly value: number;
  /** What it is without the input, where the method compares with that. */
  readonly baseline?: number;
  /** Standard errors of the scores, where they are estimated by drawing. */
  readonly errors?: readonly number[];
}

/**
 * Σ scores − (value − baseline): what a method whose scores should add up to the change of the scalar leaves over.
 * Undefined where the method makes no such promise.
 */
export const residual = ({ scores, value, baseline }: Attribution): number | undefined =>
  baseline === undefined ? undefined : scores.reduce((a, b) => a + b, 0) - (value - baseline);
