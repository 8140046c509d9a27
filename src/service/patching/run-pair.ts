import { guessPair, patchPair, pathPair } from './paired.js';
import type { Pair } from './pairs.js';
import { usualMetric, type PairResult, type PatchRun, type Prepared } from './prepared-pair.js';
import { ablatePair, noisePair } from './single.js';

/** Runs one pair of a request by its method. */
export const runPair = async (run: PatchRun, at: number): Promise<PairResult> => {
  const pair = run.pairs[at] as Pair;
  const metric = pair.metric ?? (await usualMetric(run, pair));
  const prepared: Prepared = { run, at, pair, metric };
  switch (run.input.method) {
    case 'patch':
      return patchPair(prepared);
    case 'noise':
      return noisePair(prepared);
    case 'zero':
    case 'mean':
    case 'resample':
      return ablatePair(prepared);
    case 'path':
      return pathPair(prepared);
    case 'attribution':
      return guessPair(prepared);
  }
};
