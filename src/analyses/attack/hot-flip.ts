import { bug } from '../../base/index.js';
import type { Judged, TokenRows, Victim } from './model.js';

export interface HotFlipOptions {
  /** Rows of the embedding table, by id. */
  readonly embeddings: TokenRows;
  /** Which ids may be put in. AllenNLP: those whose text is letters and digits. */
  readonly candidate: (id: number) => boolean;
  /** Which tokens stay. AllenNLP: punctuation, and the special tokens. */
  readonly ignored: (id: number, position: number) => boolean;
  /** The prediction that is wanted; where left out, any other than the first. */
  readonly target?: number | undefined;
  /** Flips at the most; as many as there are tokens where left out. */
  readonly maxFlips?: number | undefined;
  /** Called before each flip. */
  readonly onFlip?: (done: number) => void | Promise<void>;
}

export interface Flip {
  readonly position: number;
  readonly from: number;
  readonly to: number;
  /** What is predicted after it, and the scores. */
  readonly label: number;
  readonly scores: readonly number[];
}

export interface HotFlipResult {
  readonly original: readonly number[];
  readonly final: readonly number[];
  readonly flips: readonly Flip[];
  readonly before: Judged;
  readonly after: Judged;
  /** Did the prediction become what was wanted? */
  readonly succeeded: boolean;
}

const square = ({ width, data }: TokenRows, row: number): number => {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += (data[row * width + d] ?? 0) ** 2;
  return sum;
};

/** The token whose gradient is largest, of those that may be flipped; −1 where there is none. */
const nextToken = (gradient: TokenRows, closed: readonly boolean[]): number => {
  const sizes = closed.map((shut, i) => (shut ? -1 : square(gradient, i)));
  const best = sizes.indexOf(Math.max(...sizes));
  return sizes[best] === -1 ? -1 : best;
};

/** First order: which id changes the loss most, upwards (sign −1) or downwards, if it takes this token's place. */
const bestId = (
  { embeddings, candidate }: HotFlipOptions,
  { gradient, row, sign }: { gradient: TokenRows; row: number; sign: 1 | -1 },
): number => {
  const { rows, width, data } = embeddings;
  let [best, most] = [-1, -Infinity];
  for (let id = 0; id < rows; id++) {
    if (!candidate(id)) continue;
    let along = 0;
    for (let d = 0; d < width; d++) along += (data[id * width + d] ?? 0) * (gradient.data[row * width + d] ?? 0);
    const gain = -sign * along; // sign·(e_old·g − e_id·g), without what is the same for all
    if (gain > most) [best, most] = [id, gain];
  }
  return best;
};

const judgeOne = async (victim: Victim, ids: readonly number[], label?: number): Promise<Judged> => {
  const [judged] = await victim.judge([ids], label);
  if (!judged) throw bug('nothing was judged');
  return judged;
};

/**
 * Swaps tokens one by one, each time the one with the largest gradient for the one that by the gradient raises the
 * loss most, until the prediction is another. Each position is swapped once at most.
 * @source Ebrahimi 2018, "HotFlip", as AllenNLP Interpret has it
 */
export const hotFlip = async (
  victim: Victim,
  original: readonly number[],
  options: HotFlipOptions,
): Promise<HotFlipResult> => {
  const { target, ignored, maxFlips = original.length, onFlip } = options;
  const first = await judgeOne(victim, original);
  const label = target ?? first.label;
  const before = target === undefined ? first : await judgeOne(victim, original, label);
  const reached = (judged: Judged): boolean =>
    target === undefined ? judged.label !== first.label : judged.label === target;
  const ids = [...original];
  const closed = ids.map((id, i) => ignored(id, i));
  const flips: Flip[] = [];
  let now = before;
  while (!reached(now) && flips.length < maxFlips) {
    const position = nextToken(now.gradient, closed);
    if (position < 0) break;
    const to = bestId(options, { gradient: now.gradient, row: position, sign: target === undefined ? -1 : 1 });
    if (to < 0) break;
    await onFlip?.(flips.length);
    const from = ids[position] ?? 0;
    ids[position] = to;
    closed[position] = true;
    now = await judgeOne(victim, ids, label);
    flips.push({ position, from, to, label: now.label, scores: now.scores });
  }
  return { original, final: ids, flips, before: first, after: now, succeeded: reached(now) };
};
