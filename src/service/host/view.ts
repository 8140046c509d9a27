import { bug, never, UsageError } from '../../base/index.js';
import { resolveSelector, type Where } from '../../language/index.js';
import type { ViewAnswer, ViewInput, ViewOf, ViewResult } from '../../protocol/index.js';
import {
  concat,
  histogram,
  levelsOf,
  maxTile,
  numberToFloat16,
  pixelsAt,
  reduce,
  statistics,
  take,
  toFloat32,
  topElements,
  type Tensor,
} from '../../tensor/index.js';
import { formatBytes } from '../bytes.js';
import type { HeldValue } from './held.js';
import { finite } from '../finite.js';

export interface Viewed {
  readonly result: ViewResult;
  readonly payload?: Uint8Array<ArrayBuffer>;
}
type Answered = { readonly view: ViewAnswer; readonly payload?: Uint8Array<ArrayBuffer> };

/** The part of a value that is looked at. `chosen`: by axis, its indices in the value; all where left out. */
interface Part {
  readonly tensor: Tensor;
  readonly axes: readonly string[];
  readonly chosen: ReadonlyMap<string, readonly number[]>;
}

const partOf = (held: HeldValue, { where, site }: ViewInput['at']): Part => {
  const { axes, tokens, sourceTokens } = held;
  const texts = { tokens, ...(sourceTokens ? { sourceTokens } : {}) };
  const chosen = resolveSelector(where as Where, { name: site, axes, shape: held.tensor.shape, ...texts });
  const tensor = axes.reduce((t, axis, a) => {
    const indices = chosen.get(axis);
    return indices ? take(t, a, indices) : t;
  }, held.tensor);
  return { tensor, axes, chosen };
};

/** Stops before an answer is made that would be too large. */
const checkBytes = (bytes: number, limit: number): void => {
  if (bytes <= limit) return;
  throw new UsageError(`the view would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`, {
    code: 'MEMORY_LIMIT',
    hint: 'Choose a part of it, or look at statistics, a reduction or a down-sampled image.',
    details: { bytes, limit },
  });
};

const outputBytes = { float32: 4, float64: 8, float16: 2 } as const;

/** Numbers as little-endian bytes of their own. */
const encode = ({ data }: Tensor, { dtype, maxBytes }: ViewInput): Uint8Array<ArrayBuffer> => {
  checkBytes(data.length * outputBytes[dtype], maxBytes);
  const numbers = data instanceof BigInt64Array ? Float64Array.from(data, Number) : data;
  switch (dtype) {
    case 'float32':
      return new Uint8Array(new Float32Array(numbers).buffer);
    case 'float64':
      return new Uint8Array(new Float64Array(numbers).buffer);
    case 'float16':
      return new Uint8Array(Uint16Array.from(numbers, numberToFloat16).buffer);
    default:
      return never(dtype);
  }
};

const axisOf = ({ axes }: Part, name: string): number => {
  const at = axes.indexOf(name);
  if (at >= 0) return at;
  throw new UsageError(`there is no axis ${name}`, { code: 'SELECTOR_INVALID', hint: `Axes: ${axes.join(', ')}.` });
};

const slice = ({ tensor }: Part, input: ViewInput): Answered => ({
  view: { kind: 'slice', dtype: input.dtype },
  payload: encode(tensor, input),
});

const stats = ({ tensor }: Part): Answered => {
  const { min, max, mean, std, nan, inf } = statistics(tensor);
  const { data } = reduce(tensor, [...tensor.shape.keys()], 'norm');
  const numbers = { min: finite(min), max: finite(max), mean: finite(mean), std: finite(std) };
  const norm = finite(data[0] ?? NaN);
  return { view: { kind: 'stats', ...numbers, norm, count: tensor.data.length, nan, inf } };
};

const reduced = (part: Part, as: ViewOf<'reduce'>, input: ViewInput): Answered => {
  const over = [...new Set(as.over.map((name) => axisOf(part, name)))];
  const kept = part.axes.filter((_, a) => !over.includes(a));
  const result = part.tensor.shape.filter((_, a) => !over.includes(a));
  checkBytes(result.reduce((a, b) => a * b, 1) * outputBytes[input.dtype], input.maxBytes);
  const tensor = reduce(part.tensor, over, as.by);
  return { view: { kind: 'reduce', dtype: input.dtype, result, kept }, payload: encode(tensor, input) };
};

const counted = ({ tensor }: Part, { bins, range }: ViewOf<'histogram'>): Answered => {
  if (range && !(range[0] <= range[1]))
    throw new UsageError('the range of a histogram is empty', {
      code: 'OPTION_INVALID',
      hint: 'Give the smaller end first.',
    });
  const { low, high, counts, ...others } = histogram(tensor, { bins, range });
  return { view: { kind: 'histogram', low: finite(low), high: finite(high), counts: [...counts], ...others } };
};

const top = ({ tensor, axes, chosen }: Part, { k, by }: ViewOf<'topk'>): Answered => {
  const inValue = (index: readonly number[]): number[] => index.map((i, a) => chosen.get(axes[a] ?? '')?.[i] ?? i);
  const found = topElements(tensor, k, by);
  return {
    view: { kind: 'topk', top: found.map(({ index, value }) => ({ index: inValue(index), value: finite(value) })) },
  };
};

/** The part as a matrix: its axes longer than 1, of which there are at most two. */
const asMatrix = ({ tensor, axes }: Part): Tensor => {
  const long = tensor.shape.filter((n) => n !== 1);
  if (long.length > 2) {
    const names = axes.filter((_, a) => tensor.shape[a] !== 1).join(', ');
    throw new UsageError(`an image has two axes, and ${names} are longer than 1`, {
      code: 'SELECTOR_INVALID',
      hint: 'Choose one index of the others, such as [head=3].',
    });
  }
  return { ...tensor, shape: [...new Array<number>(2 - long.length).fill(1), ...long] };
};

/** The parts along an axis, one index each. */
const layersOf = (part: Part, axis: number): readonly Part[] =>
  Array.from({ length: part.tensor.shape[axis] ?? 0 }, (_, i) => ({ ...part, tensor: take(part.tensor, axis, [i]) }));

/** [rows, columns] -> [1, rows, columns] */
const onTop = <T extends Tensor>(tile: T): T => ({ ...tile, shape: [1, ...tile.shape] });

const image = (part: Part, as: ViewOf<'maxPyramid'>, input: ViewInput): Answered => {
  const stacked = as.stack === undefined ? [part] : layersOf(part, axisOf(part, as.stack));
  const matrices = stacked.map(asMatrix);
  const [rows = 1, columns = 1] = matrices[0]?.shape ?? [];
  const pixels = [rows, columns].map((extent) => Math.min(as.size, pixelsAt(extent, as.level)));
  checkBytes(stacked.length * (pixels[0] ?? 0) * (pixels[1] ?? 0) * outputBytes[input.dtype], input.maxBytes);
  const tiles = matrices.map((matrix) => maxTile(matrix, as));
  const [first] = tiles;
  if (!first) throw bug('there is no image to look at');
  const tile = as.stack === undefined ? first : concat(tiles.map(onTop), 0);
  return {
    view: {
      kind: 'maxPyramid',
      dtype: input.dtype,
      image: [pixelsAt(rows, as.level), pixelsAt(columns, as.level)],
      result: [...tile.shape],
      levels: levelsOf(rows, columns),
    },
    payload: encode(tile, input),
  };
};

const raw = ({ tensor }: Part, { offset, count }: ViewOf<'bytes'>, { maxBytes }: ViewInput): Answered => {
  const all = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const end = count === undefined ? all.length : Math.min(all.length, offset + count);
  checkBytes(Math.max(0, end - offset), maxBytes);
  return {
    view: { kind: 'bytes', dtype: tensor.dtype, offset, total: all.length },
    payload: all.slice(offset, end),
  };
};

/** One value less another, as float32. @throws UsageError OPTION_INVALID where their shapes differ */
const difference = ({ tensor, axes }: HeldValue, { tensor: other }: HeldValue): Tensor => {
  const shapeOf = ({ shape }: Tensor): string => shape.map((n, a) => `${axes[a] ?? ''} ${n}`).join(', ');
  if (shapeOf(tensor) !== shapeOf(other))
    throw new UsageError(`the values have other shapes: ${shapeOf(tensor)} and ${shapeOf(other)}`, {
      code: 'OPTION_INVALID',
      hint: 'A difference is of two values that are alike: give two prompts of as many tokens, two models of one size.',
    });
  const [a, b] = [toFloat32(tensor), toFloat32(other)];
  return { ...tensor, dtype: 'float32', data: a.map((x, i) => x - (b[i] ?? 0)) };
};

const answerOf = (part: Part, input: ViewInput): Answered => {
  const { as } = input;
  switch (as.kind) {
    case 'slice':
      return slice(part, input);
    case 'stats':
      return stats(part);
    case 'reduce':
      return reduced(part, as, input);
    case 'histogram':
      return counted(part, as);
    case 'topk':
      return top(part, as);
    case 'maxPyramid':
      return image(part, as, input);
    case 'bytes':
      return raw(part, as, input);
    default:
      return never(as);
  }
};

/**
 * Looks at a value: what is asked for, as a copy, with the revision that it is of.
 * @param minus another value, which is taken off it first
 * @throws UsageError SELECTOR_INVALID, AMBIGUOUS_TOKEN, MEMORY_LIMIT, OPTION_INVALID
 */
export const viewOf = (held: HeldValue, input: ViewInput, minus?: HeldValue): Viewed =>
  viewHeld(minus ? { ...held, tensor: difference(held, minus) } : held, input);

const viewHeld = (held: HeldValue, input: ViewInput): Viewed => {
  const part = partOf(held, input.at);
  const { view, payload } = answerOf(part, input);
  const result = { revision: held.revision, axes: [...part.axes], shape: [...part.tensor.shape], view };
  return { result, ...(payload ? { payload } : {}) };
};
