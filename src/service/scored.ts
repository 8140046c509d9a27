import { topTokens } from '../engine/index.js';
import type { ScoredToken } from '../protocol/index.js';

/** The scoredTokens of some scores, most likely first. `textOf` names an id. */
export const scoredTokens = (logits: Float32Array, top: number, textOf: (id: number) => string): ScoredToken[] =>
  topTokens(logits, top).map(({ id, logit, probability }) => ({
    id,
    text: textOf(id),
    logit: Number.isFinite(logit) ? logit : null,
    probability,
  }));
