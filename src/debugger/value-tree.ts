import { range, toFloat32, type Tensor } from '../tensor/index.js';
import { shownNumber, shownTensor, shownType } from './shown.js';

/** A tensor as a tree that is opened axis by axis: fixed indices of its first axes, and a range of the next one. */
export interface TensorView {
  readonly tensor: Tensor;
  readonly axes: readonly string[];
  readonly at: readonly number[];
  readonly from: number;
  readonly to: number;
  /** The site that it is the value of, where it is one: then it can be changed. */
  readonly site?: string;
  /** The position of index 0 on `position` and `query`. */
  readonly offset: number;
}

/** More children than this come in chunks. */
export const most = 100;

const bounded = (view: Omit<TensorView, 'from' | 'to'>): TensorView => ({
  ...view,
  from: 0,
  to: view.tensor.shape[view.at.length] ?? 0,
});

/** A whole tensor; a batch of one is left out. */
export const viewOf = (
  value: { readonly tensor: Tensor; readonly axes: readonly string[] },
  { site, offset }: { readonly site?: string; readonly offset: number },
): TensorView => {
  const { shape } = value.tensor;
  const isOne = value.axes[0] === 'batch' && shape[0] === 1 && shape.length > 1;
  return bounded({ ...value, at: isOne ? [0] : [], offset, ...(site === undefined ? {} : { site }) });
};

const isLeaf = ({ tensor, at }: TensorView): boolean => at.length + 1 >= tensor.shape.length;

/** The numbers of a view, as a tensor. */
export const partOf = ({ tensor, at, from, to }: TensorView): Tensor => {
  let part = tensor;
  for (const [axis, index] of at.entries()) part = range(part, axis, [index, index + 1]);
  if (at.length < tensor.shape.length) part = range(part, at.length, [from, to]);
  return { ...part, shape: part.shape.slice(at.length) };
};

/** What is written behind a site's name to choose this part; positions count in the whole sequence. */
export const selectorOf = ({ axes, at, offset }: Pick<TensorView, 'axes' | 'at' | 'offset'>): string => {
  const chosen = at.flatMap((index, i) => {
    const axis = axes[i] ?? '';
    if (axis === 'batch') return [];
    return [`${axis}=${axis === 'position' || axis === 'query' ? index + offset : index}`];
  });
  return chosen.length === 0 ? '' : `[${chosen.join(', ')}]`;
};

/** A child: a number, a part with parts, or a chunk of parts. */
export interface Child {
  readonly name: string;
  readonly value: string;
  readonly type: string;
  readonly view?: TensorView;
  readonly selector: string;
}

/** How many go into a chunk, so that there are at most 100 chunks. */
export const chunkSize = (count: number): number => {
  let size = most;
  while (Math.ceil(count / size) > most) size *= most;
  return size;
};

const chunks = (view: TensorView): Child[] => {
  const { from, to } = view;
  const size = chunkSize(to - from);
  return Array.from({ length: Math.ceil((to - from) / size) }, (_, i) => {
    const part = { ...view, from: from + i * size, to: Math.min(to, from + (i + 1) * size) };
    return {
      name: `[${part.from}..${part.to - 1}]`,
      value: shownTensor(partOf(part)),
      type: '',
      view: part,
      selector: '',
    };
  });
};

/** The child at an index of a view's own axis. */
export const childAt = (view: TensorView, index: number): Child => {
  const at = [...view.at, index];
  const selector = selectorOf({ ...view, at });
  const name = `[${index}]`;
  if (isLeaf(view)) {
    const value = toFloat32(partOf({ ...view, from: index, to: index + 1 }))[0] ?? NaN;
    return { name, value: shownNumber(value), type: view.tensor.dtype, selector };
  }
  const inner = bounded({ ...view, at });
  const part = partOf(inner);
  return { name, value: shownTensor(part), type: shownType(part, view.axes.slice(at.length)), view: inner, selector };
};

/** What is inside a view: one after the other, those asked for, or chunks where they are many. */
export const childrenOf = (
  view: TensorView,
  { start, count }: { readonly start?: number | undefined; readonly count?: number | undefined },
): Child[] => {
  const length = view.to - view.from;
  const paged = count !== undefined && count > 0;
  if (!paged && length > most) return chunks(view);
  const first = paged ? (start ?? 0) : 0;
  const many = Math.max(0, Math.min(paged ? Math.min(count, 1000) : length, length - first));
  return Array.from({ length: many }, (_, i) => childAt(view, view.from + first + i));
};

/** How many a view has; 0 of a single number. */
export const lengthOf = ({ from, to }: TensorView): number => to - from;
