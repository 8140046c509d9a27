import { probabilities } from '../engine/index.js';
import type { Graph, ValueId } from '../graph/index.js';
import type { Tensor } from '../tensor/index.js';

/** What of a run counts as going wrong. */
export type ExceptionFilter =
  | { readonly kind: ValueKind }
  /** The same tokens are generated again and again. */
  | { readonly kind: 'repetition' }
  /** The next token is all but settled. `below`: nats */
  | { readonly kind: 'entropy'; readonly below: number }
  /** A token ranks worse than at the step before. */
  | { readonly kind: 'lost'; readonly token: number; readonly text: string };

/** Seen in numbers: NaN, infinity, and what float16 cannot hold. */
export type ValueKind = 'nan' | 'inf' | 'overflow16';

/** The largest number of IEEE 754 binary16. */
export const float16Max = 65504;

/** What masked scores are filled with, about the float32 minimum, is no overflow. */
export const masking = 3.3e38;

const tests: Readonly<Record<ValueKind, (x: number) => boolean>> = {
  nan: Number.isNaN,
  inf: (x) => x === Infinity || x === -Infinity,
  overflow16: (x) => Math.abs(x) > float16Max && Math.abs(x) < masking,
};

/** What such a number is called. */
export const valueTold: Readonly<Record<ValueKind, string>> = {
  nan: 'NaN',
  inf: 'infinity',
  overflow16: `a number beyond float16 (${float16Max})`,
};

export const isValueKind = (kind: ExceptionFilter['kind']): kind is ValueKind => kind in tests;

/** Is there a number that is none, or without bound? */
export const hasNonFinite = (tensor: Pick<Tensor, 'data' | 'dtype'>): boolean =>
  isBad('nan', tensor) || isBad('inf', tensor);

/** Is there such a number? */
export const isBad = (kind: ValueKind, { data, dtype }: Pick<Tensor, 'data' | 'dtype'>): boolean => {
  if (dtype !== 'float32' && dtype !== 'float64') return false;
  const test = tests[kind];
  for (const x of data as Float32Array) if (test(x)) return true;
  return false;
};

/** The first value, in the order in which they are computed, that is bad while nothing that it is made of is. */
export const firstBad = (
  kind: ValueKind,
  { nodes, inputs }: Graph,
  values: ReadonlyMap<string, Tensor>,
): ValueId | undefined => {
  const isHere = ({ id }: { readonly id: ValueId }): boolean => {
    const tensor = values.get(id);
    return tensor !== undefined && isBad(kind, tensor);
  };
  const bad = new Set([...inputs, ...nodes].filter(isHere).map((v) => v.id));
  const arises = nodes.find((n) => bad.has(n.id) && !n.inputs.some((id) => bad.has(id)));
  return arises?.id;
};

export const arising = (kind: ValueKind, where: string): string => `${valueTold[kind]} first arises in ${where}`;

/** How long what repeats may be, in tokens. */
const longest = 16;

/** The length of what the tokens end with three times over (a single token four times); undefined where nothing is. */
export const repeating = (ids: readonly number[]): number | undefined => {
  for (let length = 1; length <= longest; length++) {
    const total = Math.max(4, 3 * length);
    if (total > ids.length) return undefined;
    const end = ids.slice(-total);
    if (end.every((id, i) => i < length || id === end[i - length])) return length;
  }
  return undefined;
};

/** Nats. */
export const entropyOf = (logits: Float32Array): number => {
  let sum = 0;
  for (const p of probabilities(logits)) if (p > 0) sum -= p * Math.log(p);
  return sum;
};

/** 1 and one more for each token that scores higher. */
export const rankOf = (logits: Float32Array, token: number): number => {
  const own = logits[token] ?? -Infinity;
  let rank = 1;
  for (const logit of logits) if (logit > own) rank++;
  return rank;
};

/** A step that has ended, beside the one before it. */
export interface Ended {
  /** Tokens that were generated, the present step's included; none where it led to none. */
  readonly made: readonly number[];
  readonly logits: Float32Array;
  readonly before: Float32Array | undefined;
}

const entropyStop = (below: number, { logits, before }: Ended): string | undefined => {
  const now = entropyOf(logits);
  if (!(now < below) || (before && entropyOf(before) < below)) return undefined;
  return `entropy fell to ${now.toPrecision(3)} nats, below ${below}`;
};

/** Why a step's end repeats itself; undefined: it does not. */
export const repetitionStop = ({ made }: Pick<Ended, 'made'>): string | undefined => {
  const length = repeating(made);
  if (length === undefined || repeating(made.slice(0, -1)) !== undefined) return undefined;
  return length === 1 ? 'one token is generated again and again' : `${length} tokens are generated again and again`;
};

const lostStop = (
  { token, text }: { readonly token: number; readonly text: string },
  { logits, before }: Ended,
): string | undefined => {
  if (!before) return undefined;
  const [was, is] = [rankOf(before, token), rankOf(logits, token)];
  return is > was ? `${JSON.stringify(text)} fell from rank ${was} to ${is}` : undefined;
};

/** Why a step's end is such an exception; undefined: it is none. */
export const stopAtEnd = (filter: ExceptionFilter, ended: Ended): string | undefined => {
  switch (filter.kind) {
    case 'repetition':
      return repetitionStop(ended);
    case 'entropy':
      return entropyStop(filter.below, ended);
    case 'lost':
      return lostStop(filter, ended);
    default:
      return undefined;
  }
};
