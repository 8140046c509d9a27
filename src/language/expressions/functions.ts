/** What an expression can call and read: one row each, with its meaning; docs/expressions.md shows these rows. */

/** Of one token's score, at one position. */
export const tokenFunctions = {
  logit: 'the score of token X as the next one',
  prob: 'its probability',
  logprob: 'the natural logarithm of its probability; of a text of several tokens, that of the whole sequence',
  rank: 'its place among all tokens: 1 is the likeliest, equal ones share a place',
  lens_prob: 'its probability as if the model ended here',
  lens_rank: 'its rank as if the model ended here',
} as const;
export type TokenFunction = keyof typeof tokenFunctions;

/** Of all numbers of a tensor, in float64. */
export const reductions = {
  norm: 'the square root of the sum of squares',
  mean: 'the mean',
  sum: 'the sum',
  max: 'the largest number',
  min: 'the smallest number',
  absmax: 'the largest absolute value',
  std: 'the standard deviation, divisor n',
  nan: 'how many numbers are NaN',
} as const;
export type Reduction = keyof typeof reductions;

/** Numbers of the moment. */
export const words = {
  entropy: 'of the next token, in nats',
  loss: 'mean of −logprob of each token after the first, given those before it',
  token: 'the id of the newest token; compare it with an id or a text',
  step: '0 in the prefill, then 1 for each new token',
  layer: 'the layer where the run is, from 0',
} as const;
export type Word = keyof typeof words;

/** Numbers that have a name. */
export const constants = { inf: Infinity, nan: NaN } as const;

export const isTokenFunction = (name: string): name is TokenFunction => Object.hasOwn(tokenFunctions, name);
export const isReduction = (name: string): name is Reduction => Object.hasOwn(reductions, name);
export const isWord = (name: string): name is Word => Object.hasOwn(words, name);

export interface FunctionRow {
  readonly name: string;
  readonly usage: string;
  readonly meaning: string;
}

const rowsOf = (table: Readonly<Record<string, string>>, usage: (name: string) => string): FunctionRow[] =>
  Object.entries(table).map(([name, meaning]) => ({ name, usage: usage(name), meaning }));

/** All functions and words with how they are written, for help and completion. */
export const expressionFunctions: readonly FunctionRow[] = [
  ...rowsOf(tokenFunctions, (name) => `${name}(X) [at position P]`),
  ...rowsOf(reductions, (name) => `${name}(T)`),
  {
    name: 'cosine',
    usage: 'cosine(A, B)',
    meaning: 'the cosine of the angle between two tensors of equal shape; NaN where one is 0',
  },
  {
    name: 'grad',
    usage: 'grad(SITE)',
    meaning: 'the gradient by a site, where the debugger stands on a way back',
  },
  ...rowsOf(words, (name) => name),
];
