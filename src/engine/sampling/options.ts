import { UsageError } from '../../base/index.js';

/** How the next token is chosen. None at all, or a temperature of 0: the likeliest. */
export interface SamplingOptions {
  /** Logits are divided by it; 0 is greedy. */
  readonly temperature?: number;
  /** Only the k likeliest are kept, and what ties with the last of them; 0 keeps all. */
  readonly topK?: number;
  /** Only the likeliest that together reach this probability are kept; in (0, 1]. */
  readonly topP?: number;
  /** Only those are kept that have this part of the likeliest one's probability; in [0, 1]. */
  readonly minP?: number;
  /** Logits of tokens that are there already are divided by it, or multiplied where negative; more than 0. */
  readonly repetitionPenalty?: number;
  /** An integer from 0; left out: 0. */
  readonly seed?: number;
}

interface Rule {
  readonly flag: string;
  readonly expected: string;
  readonly good: (value: number) => boolean;
}

const count = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const finite = Number.isFinite;

const rules: { readonly [K in keyof SamplingOptions]-?: Rule } = {
  temperature: { flag: 'temperature', expected: 'a number from 0', good: (v) => finite(v) && v >= 0 },
  topK: { flag: 'top-k', expected: 'an integer from 0', good: count },
  topP: { flag: 'top-p', expected: 'a number above 0, at most 1', good: (v) => v > 0 && v <= 1 },
  minP: { flag: 'min-p', expected: 'a number from 0 to 1', good: (v) => v >= 0 && v <= 1 },
  repetitionPenalty: { flag: 'repetition-penalty', expected: 'a number above 0', good: (v) => finite(v) && v > 0 },
  seed: { flag: 'seed', expected: 'an integer from 0', good: count },
};

/**
 * The options, checked.
 * @throws UsageError OPTION_INVALID
 */
export const checkSampling = (options: SamplingOptions): SamplingOptions => {
  for (const [name, { flag, expected, good }] of Object.entries(rules)) {
    const value = options[name as keyof SamplingOptions];
    if (value === undefined || good(value)) continue;
    throw new UsageError(`${flag} ${value} is out of range`, {
      code: 'OPTION_INVALID',
      hint: `${flag} takes ${expected}.`,
      details: { option: flag, value: String(value) },
    });
  }
  return options;
};

/**
 * Whether no chance is involved. A repetition penalty alone changes what is likeliest and draws nothing, as in Hugging
 * Face's `generate` without `do_sample`.
 */
export const isGreedy = (options: SamplingOptions): boolean => {
  const { temperature, topK, topP, minP, seed } = options;
  return temperature === 0 || [temperature, topK, topP, minP, seed].every((v) => v === undefined);
};
