import { stridesOf, type Tensor } from './tensor.js';

/** Which come first. `absolute`: those farthest from 0. */
export type TopBy = 'greatest' | 'least' | 'absolute';

export interface TopElement {
  /** Along each axis. */
  readonly index: readonly number[];
  readonly value: number;
}

const keyOf: Readonly<Record<TopBy, (x: number) => number>> = {
  greatest: (x) => x,
  least: (x) => -x,
  absolute: Math.abs,
};

interface Ranked {
  readonly key: number;
  readonly offset: number;
}

/** Does `a` come after `b`? Of equal ones the later does. */
const isAfter = (a: Ranked, b: Ranked): boolean => a.key < b.key || (a.key === b.key && a.offset > b.offset);

/** Lets the first of a heap, whose first comes after all others, sink to its place. */
const sink = (heap: Ranked[], item: Ranked): void => {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    const [left, right] = [heap[child], heap[child + 1]];
    if (!left) break;
    if (right && isAfter(right, left)) child++;
    const other = heap[child] ?? left;
    if (!isAfter(other, item)) break;
    heap[at] = other;
    at = child;
  }
  heap[at] = item;
};

/** Lets a new last one of the heap rise to its place. */
const rise = (heap: Ranked[], item: Ranked): void => {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (!above || !isAfter(item, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
};

/** The `k` first elements, in order; of equal ones the earlier first. NaN is left out. Time n log k, memory k. */
export const topElements = (tensor: Tensor, k: number, by: TopBy = 'greatest'): readonly TopElement[] => {
  const heap: Ranked[] = [];
  const toKey = keyOf[by];
  for (let offset = 0; offset < tensor.data.length; offset++) {
    const key = toKey(Number(tensor.data[offset]));
    if (Number.isNaN(key)) continue;
    const item = { key, offset };
    if (heap.length < k) rise(heap, item);
    else if (heap[0] && isAfter(heap[0], item)) sink(heap, item);
  }
  const strides = stridesOf(tensor.shape);
  return heap
    .sort((a, b) => (isAfter(a, b) ? 1 : -1))
    .map(({ offset }) => ({
      index: strides.map((stride, a) => Math.floor(offset / stride) % (tensor.shape[a] ?? 1)),
      value: Number(tensor.data[offset]),
    }));
};
