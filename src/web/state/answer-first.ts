import type { ComparedRun, CompareResult } from '../../protocol/index.js';

/** Scores of a whole text that are made in a wink, in numbers: more, and the answer is asked for before the rest. */
const soonScores = 2 ** 19;

/** Whether to ask for the answer alone, before what stands at each token. Of a model not known yet: yes. */
export const isAnswerFirst = (known: CompareResult | undefined): boolean => {
  if (!known) return true;
  const { tokens, target } = known.after;
  return (target ?? tokens).length * known.model.vocab > soonScores;
};

const sameTokens = (a: ComparedRun, b: ComparedRun): boolean =>
  a.tokens.length === b.tokens.length &&
  (a.target ?? a.tokens).length === (b.target ?? b.tokens).length &&
  (a.target ?? a.tokens).every((token, i) => token.id === (b.target ?? b.tokens)[i]?.id);

/** What stands at each token as it was, until it comes; the last, which is the answer's, as it is now. */
const kept = <T>(old: readonly T[], now: readonly T[]): T[] =>
  old.length <= now.length ? [...now] : [...old.slice(0, old.length - now.length), ...now];

/** An answer that came before the rest, with what is known of the other tokens from the run before it. */
export const withKnown = (answer: CompareResult, known: CompareResult | undefined): CompareResult => {
  if (!known || !sameTokens(answer.after, known.after) || !sameTokens(answer.before, known.before)) return answer;
  const side = (now: ComparedRun, old: ComparedRun): ComparedRun => ({
    ...now,
    best: kept(old.best, now.best),
    entropy: kept(old.entropy, now.entropy),
    surprise: old.surprise,
  });
  return {
    ...answer,
    before: side(answer.before, known.before),
    after: side(answer.after, known.after),
    kl: kept(known.kl, answer.kl),
    changed: [...new Set([...known.changed.filter((p) => p !== answer.position), ...answer.changed])],
  };
};
