/** How often a head that is given tokens writes them, or unwrites them. */
export interface Copies {
  /** Share of tokens among the likeliest five of what the head writes of them. */
  readonly up: number;
  /** … among the least likely five. */
  readonly down: number;
}

const near = 5;

/**
 * The copying score of name movers: of some tokens, the share that a head's output matrices put among the first five,
 * and among the last five.
 * @param scores a row of scores [vocab] for each token
 * @source Wang et al. 2022, "Interpretability in the Wild", §3.1 and appendix: copy score
 */
export const copies = (scores: readonly Float32Array[], ids: readonly number[]): Copies => {
  let [up, down] = [0, 0];
  for (const [i, row] of scores.entries()) {
    const own = row[ids[i] ?? 0] ?? NaN;
    let [above, below] = [0, 0];
    for (const x of row) {
      if (x > own) above++;
      if (x < own) below++;
    }
    if (above < near) up++;
    if (below < near) down++;
  }
  return { up: up / scores.length, down: down / scores.length };
};
