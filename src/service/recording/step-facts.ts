import type { RecordedStep } from '../../protocol/index.js';
import { finite } from '../finite.js';

/** Logit, probability and entropy of a step's token, by the model's own scores, in float64. */
export const stepFacts = (
  logits: Float32Array,
  id: number | undefined,
): Pick<RecordedStep, 'logit' | 'probability' | 'entropy'> => {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let [sum, weighted] = [0, 0];
  for (const logit of logits) {
    const e = Math.exp(logit - most);
    sum += e;
    if (e > 0) weighted += e * (logit - most);
  }
  const entropy = finite(Math.log(sum) - weighted / sum);
  if (id === undefined) return { entropy };
  const logit = logits[id] ?? NaN;
  const probability = Math.exp(logit - most) / sum;
  return { logit: finite(logit), entropy, ...(Number.isFinite(probability) ? { probability } : {}) };
};
