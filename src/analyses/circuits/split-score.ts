/** A score as a sum over pairs of parts at the query and at the key. */
export interface SplitScore {
  /** [query part][key part] */
  readonly pairs: readonly (readonly number[])[];
  readonly byQuery: readonly number[];
  readonly byKey: readonly number[];
  readonly sum: number;
}

/**
 * scale · q·k, where q and k are sums of parts: bilinear, so it is the sum over all pairs of parts.
 * @param queries [part][headDim]
 * @param keys [part][headDim]
 * @source Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits": QK circuits; Kamath et al. 2025,
 * "Tracing Attention Computation Through Feature Interactions"
 */
export const splitScore = (
  queries: readonly Float32Array[],
  keys: readonly Float32Array[],
  scale: number,
): SplitScore => {
  const pairs = queries.map((q) =>
    keys.map((k) => {
      let sum = 0;
      for (let i = 0; i < q.length; i++) sum += (q[i] ?? 0) * (k[i] ?? 0);
      return scale * sum;
    }),
  );
  const byQuery = pairs.map((row) => row.reduce((a, b) => a + b, 0));
  const byKey = keys.map((_, b) => pairs.reduce((sum, row) => sum + (row[b] ?? 0), 0));
  return { pairs, byQuery, byKey, sum: byQuery.reduce((a, b) => a + b, 0) };
};
