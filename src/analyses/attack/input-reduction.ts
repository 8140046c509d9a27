import { bug } from '../../base/index.js';
import type { Judged, Victim } from './model.js';

export interface InputReductionOptions {
  /** How many texts are followed at a time, and how many tokens of each are tried. AllenNLP 3. */
  readonly beam: number;
  /** Which tokens stay. */
  readonly ignored: (id: number, position: number) => boolean;
  /** Called before each round, with how many tokens the shortest text has. */
  readonly onRound?: (length: number) => void | Promise<void>;
}

/** A token that was taken away, and what the victim says without it. */
export interface Removal {
  /** In the original text. */
  readonly position: number;
  readonly after: Judged;
}

export interface InputReductionResult {
  readonly original: readonly number[];
  /** What is left, with the prediction of the whole. */
  readonly final: readonly number[];
  /** The places of what is left in the original. */
  readonly kept: readonly number[];
  /** What led to it, in its order. */
  readonly removed: readonly Removal[];
  readonly before: Judged;
  readonly after: Judged;
}

/** A text that is followed: the places of the original that it has, and what was taken away to come to it. */
interface Candidate {
  readonly kept: readonly number[];
  readonly removed: readonly Removal[];
  /** What was taken away last, until it is known what the victim says without it. */
  readonly latest?: number;
}

/** A candidate, once it is known what the victim says of it. */
const judgedAs = ({ kept, removed, latest }: Candidate, after: Judged): Candidate => ({
  kept,
  removed: latest === undefined ? removed : [...removed, { position: latest, after }],
});

const sizesOf = ({ gradient: { width, data } }: Judged, length: number): readonly number[] =>
  Array.from({ length }, (_, row) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += (data[row * width + d] ?? 0) ** 2;
    return sum;
  });

/** The shortest, in the order in which they came. */
const shortest = (candidates: readonly Candidate[], beam: number): readonly Candidate[] =>
  [...candidates].sort((a, b) => a.kept.length - b.kept.length).slice(0, beam);

/**
 * Takes away the tokens with the smallest gradients as long as the prediction stays. What is left often means nothing
 * to a reader, and the model is as sure.
 * @source Feng 2018, "Pathologies of neural models make interpretations difficult", as AllenNLP Interpret has it: the
 * result is the last text examined of which the prediction was the same
 */
export const inputReduction = async (
  victim: Victim,
  original: readonly number[],
  { beam, ignored, onRound }: InputReductionOptions,
): Promise<InputReductionResult> => {
  const whole: Candidate = { kept: original.map((_, i) => i), removed: [] };
  const idsOf = ({ kept }: Candidate): readonly number[] => kept.map((place) => original[place] ?? 0);
  const fixed = original.filter(ignored).length;
  const [first] = await victim.judge([original]);
  if (!first) throw bug('nothing was judged');
  let [current, after] = [whole, first];
  let candidates: readonly Candidate[] = [whole];
  while (current.kept.length > Math.max(fixed, 1) && candidates.length > 0) {
    const followed = shortest(candidates, beam);
    await onRound?.(current.kept.length);
    const judged = await victim.judge(followed.map(idsOf), first.label);
    const children: Candidate[] = [];
    followed.forEach((candidate, i) => {
      const found = judged[i];
      if (found?.label !== first.label) return;
      [current, after] = [judgedAs(candidate, found), found];
      children.push(...shorter(current, found, { beam, open: (place) => !ignored(original[place] ?? 0, place) }));
    });
    candidates = children;
  }
  return { original, final: idsOf(current), kept: current.kept, removed: current.removed, before: first, after };
};

/** The text without each of the tokens whose gradients are smallest. */
const shorter = (
  { kept, removed }: Candidate,
  judged: Judged,
  { beam, open }: { readonly beam: number; readonly open: (place: number) => boolean },
): readonly Candidate[] => {
  if (kept.length <= 1) return [];
  const sizes = sizesOf(judged, kept.length);
  const removable = kept.flatMap((place, row) => (open(place) ? [row] : []));
  const smallest = removable.sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0) || a - b).slice(0, beam);
  return smallest.map((row) => ({ kept: kept.filter((_, i) => i !== row), removed, latest: kept[row] ?? 0 }));
};
