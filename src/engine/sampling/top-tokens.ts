/** A token as it was guessed. */
export interface TopToken {
  readonly id: number;
  readonly logit: number;
  readonly probability: number;
}

/** NaN ranks with what is impossible. */
const rank = (logit: number): number => (Number.isNaN(logit) ? -Infinity : logit);

const siftDown = (heap: Float32Array, start: number): void => {
  let parent = start;
  for (;;) {
    let least = parent;
    for (const child of [2 * parent + 1, 2 * parent + 2])
      if (child < heap.length && (heap[child] ?? 0) < (heap[least] ?? 0)) least = child;
    if (least === parent) return;
    [heap[parent], heap[least]] = [heap[least] ?? 0, heap[parent] ?? 0];
    parent = least;
  }
};

/** The kth largest logit, k from 1 to their number; a heap of k, since most logits are below its least. */
export const kthLargest = (logits: Float32Array, k: number): number => {
  const heap = logits.slice(0, k).map(rank);
  for (let i = (k >> 1) - 1; i >= 0; i--) siftDown(heap, i);
  for (let id = k; id < logits.length; id++) {
    const logit = logits[id] ?? 0;
    if (!(logit > (heap[0] ?? 0))) continue;
    heap[0] = logit;
    siftDown(heap, 0);
  }
  return heap[0] ?? -Infinity;
};

/** The largest logit; of none, or of NaN alone, -Infinity. */
export const largest = (logits: Float32Array): number => {
  let best = -Infinity;
  for (const logit of logits) if (logit > best) best = logit;
  return best;
};

/** exp(logit − largest); 1 for the largest, infinite or not, and 0 for NaN. */
export const weight = (logit: number, most: number): number => {
  const known = rank(logit);
  if (known === most) return 1;
  return known === -Infinity ? 0 : Math.exp(known - most);
};

/**
 * Softmax in float64. NaN counts as impossible, so that one broken row hides nothing else; where nothing is possible,
 * all is equally likely.
 */
export const probabilities = (logits: Float32Array): Float64Array => {
  const most = largest(logits);
  const result = new Float64Array(logits.length);
  let total = 0;
  for (let id = 0; id < logits.length; id++) total += result[id] = weight(logits[id] ?? 0, most);
  for (let id = 0; id < logits.length; id++) result[id] = (result[id] ?? 0) / total;
  return result;
};

/** The likeliest token; of equal ones the lowest id. */
export const likeliest = (logits: Float32Array): number => {
  const most = largest(logits);
  return Math.max(0, logits.indexOf(most));
};

/**
 * The `n` likeliest tokens, at most the vocabulary: likeliest first, of equal ones the lowest id first, NaN last.
 * @param logits [vocab]
 */
export const topTokens = (logits: Float32Array, n: number): readonly TopToken[] => {
  const count = Math.max(0, Math.min(Math.floor(n), logits.length));
  if (count === 0) return [];
  const least = kthLargest(logits, count);
  const [above, equal]: [number[], number[]] = [[], []];
  for (let id = 0; id < logits.length; id++) {
    const logit = rank(logits[id] ?? 0);
    if (logit > least) above.push(id);
    else if (logit === least && equal.length < count) equal.push(id);
  }
  const logitOf = (id: number): number => logits[id] ?? 0;
  const ids = [...above.sort((a, b) => logitOf(b) - logitOf(a) || a - b), ...equal].slice(0, count);
  const most = largest(logits);
  let total = 0;
  for (const logit of logits) total += weight(logit, most);
  return ids.map((id) => ({ id, logit: logitOf(id), probability: weight(logitOf(id), most) / total }));
};
