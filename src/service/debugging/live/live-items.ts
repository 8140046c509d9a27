import { selectorOf, shownNumber, shownStatistics } from '../../../debugger/index.js';
import type {
  AgentAnswer,
  AgentStatistics,
  AgentTensor,
  Evaluated,
  Item,
  OpenedPart,
} from '../../../protocol/index.js';

/** Statistics of the agent as they are shown of all tensors. */
export const shownStats = ({
  shape,
  count,
  nan,
  inf,
  min = NaN,
  max = NaN,
  mean = NaN,
  std = NaN,
}: AgentStatistics): string => shownStatistics({ shape, count, nan, inf, min, max, mean, std });

/** `float32[position 4, model 32]` */
export const typeText = (dtype: string, shape: readonly number[], axes: readonly string[]): string =>
  `${dtype}[${shape.map((n, i) => (axes[i] === undefined ? `${n}` : `${axes[i]} ${n}`)).join(', ')}]`;

/** The axes of a value: those that its name has, or those that the agent could tell. */
export const axesFor = (
  named: readonly string[],
  { axes, shape }: Pick<AgentTensor, 'axes' | 'shape'>,
): readonly string[] => (named.length === shape.length ? named : (axes ?? shape.map((_, i) => `d${i}`)));

/** What can be opened: its reference, the names that it has where it is changed and read. */
export interface Opened {
  readonly name: string;
  readonly ref: string;
  readonly axes: readonly string[];
  readonly place?: string;
  readonly expression?: string;
}

const isBatchOfOne = (axes: readonly string[], shape: readonly number[]): boolean =>
  axes[0] === 'batch' && shape[0] === 1 && shape.length > 1;

const named = ({ place, expression }: Opened, selector: string): Pick<Item, 'place' | 'expression'> => ({
  ...(place === undefined ? {} : { place: place + selector }),
  ...(expression === undefined ? {} : { expression: expression + selector }),
});

/** A value of the process as something to open. */
export const liveItem = (opened: Opened, meta: AgentTensor, stats: AgentStatistics): Item => {
  const { shape } = stats;
  const axes = axesFor(opened.axes, { ...meta, shape });
  const at = isBatchOfOne(axes, shape) ? [0] : [];
  const length = shape[at.length] ?? 0;
  return {
    ...{ name: opened.name, value: shownStats(stats), type: typeText(meta.dtype, shape, axes) },
    ...(shape.length === 0 ? {} : { ref: opened.ref, part: { at, from: 0, to: length }, length }),
    ...named(opened, ''),
  };
};

/** What is inside a part of a value. `offset`: the position of index 0 on `position`. */
export const liveChildren = (
  opened: Opened,
  { meta, children }: AgentAnswer<'children'>,
  { at, from, offset }: { readonly at: readonly number[]; readonly from: number; readonly offset: number },
): Item[] => {
  const axes = axesFor(opened.axes, meta);
  return children.map((child, i) => {
    const inner = [...at, from + i];
    const selector = selectorOf({ axes, at: inner, offset });
    const base = { name: `[${from + i}]`, ...named(opened, selector) };
    if ('number' in child) return { ...base, value: shownNumber(child.number), type: meta.dtype };
    const length = child.shape[0] ?? 0;
    const part: OpenedPart = { at: inner, from: 0, to: length };
    const type = typeText(meta.dtype, child.shape, axes.slice(inner.length));
    return { ...base, value: shownStats(child), type, ref: opened.ref, part, length };
  });
};

/** What an expression gives. */
export const liveEvaluated = (name: string, ref: string, answer: AgentAnswer<'evaluate'>): Evaluated => {
  if ('value' in answer) {
    const { value } = answer;
    return { name, value: typeof value === 'number' ? shownNumber(value) : String(value), type: typeof value };
  }
  const { axes, shape, first, stats } = answer;
  const at = isBatchOfOne(axes, shape) ? [0] : [];
  const length = shape[at.length] ?? 0;
  return {
    ...{ name, value: shownStats(stats), type: typeText('float32', shape, axes), axes: [...axes], shape: [...shape] },
    ...(shape.length === 0 ? {} : { ref, part: { at, from: 0, to: length }, length }),
    first: first.map(shownNumber),
  };
};

/** A part of a log point's text: what an expression gave, or why it gave nothing. */
export const shownPart = ({
  value,
  stats,
  problem,
}: {
  value?: number | boolean | null | undefined;
  stats?: Parameters<typeof shownStats>[0] | undefined;
  problem?: string | undefined;
}): string => {
  if (problem !== undefined) return `<${problem}>`;
  if (stats) return shownStats(stats);
  if (value === null || value === undefined) return '–';
  return typeof value === 'boolean' ? String(value) : shownNumber(value);
};
