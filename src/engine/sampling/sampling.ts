import { isGreedy, type SamplingOptions } from './options.js';
import { uniform } from './rng.js';
import { kthLargest, likeliest, probabilities } from './top-tokens.js';

/** The distribution after a rule. */
export interface SamplingStage {
  /** `logits` is what the model said, `suppressed` without tokens that may not be taken, then the options by their names. */
  readonly name: 'logits' | 'suppressed' | 'repetition-penalty' | 'temperature' | 'top-k' | 'top-p' | 'min-p';
  /** The option's value; null for what the model said. */
  readonly setting: number | null;
  /** [vocab]; -Infinity where a rule removed a token. */
  readonly logits: Float32Array;
}

export interface Sampled {
  readonly id: number;
  readonly stages: readonly SamplingStage[];
}

/** A rule with its setting bound. All compute in float32 where PyTorch does, so that the same tokens stay. */
type Rule = (logits: Float32Array, setting: number, previousIds: readonly number[]) => Float32Array;

const keep = (logits: Float32Array, kept: (logit: number, id: number) => boolean): Float32Array =>
  logits.map((logit, id) => (kept(logit, id) ? logit : -Infinity));

const largest = 3.4028234663852886e38;

/** A changed logit: what was possible stays so where the change goes beyond float32. */
const bounded = (changed: number, logit: number): number =>
  Number.isFinite(logit) ? Math.max(-largest, Math.min(largest, changed)) : changed;

/** Keskar 2019 §4.1, with negative logits multiplied. */
const penalise: Rule = (logits, setting, previousIds) => {
  const penalty = Math.fround(setting);
  const result = logits.slice();
  for (const id of new Set(previousIds)) {
    const logit = logits[id];
    if (logit !== undefined) result[id] = bounded(logit < 0 ? logit * penalty : logit / penalty, logit);
  }
  return result;
};

const cool: Rule = (logits, setting) => {
  const temperature = Math.fround(setting);
  return logits.map((logit) => bounded(logit / temperature, logit));
};

/** Fan 2018 §5; what ties with the kth stays. */
const topK: Rule = (logits, setting) => {
  const least = kthLargest(logits, Math.min(setting, logits.length));
  return keep(logits, (logit) => !(logit < least));
};

/** The logits of what no rule removed. A loop, since `filter` takes ten times as long on a large vocabulary. */
const possible = (logits: Float32Array): Float32Array => {
  const result = new Float32Array(logits.length);
  let count = 0;
  for (const logit of logits) if (logit > -Infinity) result[count++] = logit;
  return result.subarray(0, count);
};

/**
 * Holtzman 2019 §3.1: from the unlikeliest on, tokens go while their sum is at most 1 − p; the likeliest stays. Of equal
 * ones the lower id goes first, as in a stable ascending sort.
 */
const topP: Rule = (logits, setting) => {
  const sorted = possible(logits).sort();
  const chances = Float32Array.from(probabilities(sorted));
  const most = Math.fround(1 - setting);
  let [gone, sum] = [0, 0];
  while (gone < sorted.length - 1 && Math.fround((sum += chances[gone] ?? 0)) <= most) gone++;
  const least = sorted[gone] ?? -Infinity;
  let tied = gone - sorted.indexOf(least);
  return keep(logits, (logit) => logit > least || (logit === least && tied-- <= 0));
};

/** Nguyen 2024 §3: a token stays that has this part of the likeliest one's probability. */
const minP: Rule = (logits, setting) => {
  const chances = Float32Array.from(probabilities(logits));
  const best = likeliest(logits);
  const least = Math.fround(Math.fround(setting) * (chances[best] ?? 0));
  return keep(logits, (_, id) => id === best || !((chances[id] ?? 0) < least));
};

interface Row {
  readonly name: Exclude<SamplingStage['name'], 'logits' | 'suppressed'>;
  readonly rule: Rule;
  readonly setting: (options: SamplingOptions) => number | undefined;
  /** Whether it plays a part where nothing is drawn. */
  readonly greedy: boolean;
}

/** Hugging Face's order: transformers, generation/utils.py, `_get_logits_processor`. */
const rows: readonly Row[] = [
  { name: 'repetition-penalty', rule: penalise, setting: (o) => o.repetitionPenalty, greedy: true },
  { name: 'temperature', rule: cool, setting: (o) => o.temperature, greedy: false },
  { name: 'top-k', rule: topK, setting: (o) => (o.topK === 0 ? undefined : o.topK), greedy: false },
  { name: 'top-p', rule: topP, setting: (o) => o.topP, greedy: false },
  { name: 'min-p', rule: minP, setting: (o) => o.minP, greedy: false },
];

/**
 * The distribution as the model gave it and after each rule in force; each has its own logits.
 * @param logits [vocab], not changed
 * @param previousIds the prompt's and all generated ids so far
 * @param options as `checkSampling` lets through
 */
export const stages = (
  logits: Float32Array,
  previousIds: readonly number[],
  options: SamplingOptions,
): readonly SamplingStage[] => {
  const greedy = isGreedy(options);
  const list: SamplingStage[] = [{ name: 'logits', setting: null, logits }];
  for (const { name, rule, setting, greedy: always } of rows) {
    const value = setting(options);
    if (value === undefined || (greedy && !always)) continue;
    list.push({ name, setting: value, logits: rule(list.at(-1)?.logits ?? logits, value, previousIds) });
  }
  return list;
};

/** The token at a place in the distribution, ids in order; place in [0, 1). */
export const pick = (logits: Float32Array, place: number): number => {
  const chances = probabilities(logits);
  let sum = 0;
  let last = 0;
  for (let id = 0; id < chances.length; id++) {
    const chance = chances[id] ?? 0;
    if (chance === 0) continue;
    last = id;
    sum += chance;
    if (sum > place) return id;
  }
  return last; // the sum may end a rounding below 1
};

/** What a token is chosen from and where its random number comes from. */
export interface SamplingPlace {
  readonly previousIds: readonly number[];
  readonly step: number;
  /** Which of the sequences that run together; left out: 0. */
  readonly sequence?: number;
  /** Tokens that may not be taken. */
  readonly suppressed?: ReadonlySet<number>;
}

/** As `stages`, of what is left when some tokens may not be taken. */
const allowedStages = (
  logits: Float32Array,
  options: SamplingOptions,
  place: SamplingPlace,
): readonly SamplingStage[] => {
  const { previousIds, suppressed } = place;
  if (!suppressed?.size) return stages(logits, previousIds, options);
  const allowed = keep(logits, (_, id) => !suppressed.has(id));
  const [, ...later] = stages(allowed, previousIds, options);
  return [{ name: 'logits', setting: null, logits }, { name: 'suppressed', setting: null, logits: allowed }, ...later];
};

/** The next token: the likeliest, or drawn by seed, sequence and step. */
export const sample = (logits: Float32Array, options: SamplingOptions, place: SamplingPlace): Sampled => {
  const list = allowedStages(logits, options, place);
  const final = list.at(-1)?.logits ?? logits;
  if (isGreedy(options)) return { id: likeliest(final), stages: list };
  const { step, sequence = 0 } = place;
  return { id: pick(final, uniform({ seed: options.seed ?? 0, sequence, step })), stages: list };
};
