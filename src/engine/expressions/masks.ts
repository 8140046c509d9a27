import { bug } from '../../base/index.js';
import type { ValueType } from '../../graph/index.js';
import { resolveSelector, type SiteNode } from '../../language/index.js';
import { bool, float32, sizeOf, type Tensor } from '../../tensor/index.js';
import type { Sequence } from '../experiment/index.js';
import type { Rows } from '../run/rows.js';

/** The part of a site that an expression reads inside a graph. */
export interface Part {
  readonly node: SiteNode;
  readonly type: ValueType;
  /** Axes along which its mask varies. */
  readonly maskAxes: readonly string[];
}

/** Axes in which rows may be doubled, or keys may be seen by nobody. */
const moving = ['position', 'query', 'key', 'source'];

export const partIn = (node: SiteNode, type: ValueType): Part => ({
  node,
  type,
  maskAxes: type.axes.filter((axis) => moving.includes(axis) || Object.hasOwn(node.where, axis)),
});

/** An axis in one pass: its extent, and how many of its first indices count. */
interface Extent {
  readonly extent: number;
  readonly live: number;
}

const same = (extent: number): Extent => ({ extent, live: extent });
const keysOf = ({ keys }: Rows): Extent => ({ extent: keys.length, live: keys.filter((k) => k >= 0).length });

const extentIn = (axis: string, dim: number | string, rows: Rows): Extent => {
  if (typeof dim === 'number') return same(dim);
  if (axis === 'position' || axis === 'query')
    return { extent: rows.positions.length, live: new Set(rows.positions).size };
  if (axis === 'key') return keysOf(rows);
  if (axis === 'source' && rows.source) return keysOf(rows.source);
  if (axis === 'batch') return same(rows.ids.length);
  throw bug(`nothing is known of the extent of axis ${axis}`);
};

/** Whether each index counts, by axis of the part; of an axis without mask all. */
const flagsOf = ({ node, type }: Part, rows: Rows, sequence: Sequence): readonly (readonly boolean[])[] => {
  const extents = type.axes.map((axis, a) => extentIn(axis, type.shape[a] ?? 1, rows));
  const { tokens, length, source = [] } = sequence;
  const chosen = resolveSelector(node.where, {
    name: node.site,
    axes: type.axes,
    shape: extents.map((e) => e.live),
    tokens,
    sourceTokens: source,
    offset: rows.positions[0] ?? 0,
    length,
  });
  return extents.map(({ extent, live }, a) => {
    const indices = chosen.get(type.axes[a] ?? '');
    return Array.from({ length: extent }, (_, i) => i < live && (indices?.includes(i) ?? true));
  });
};

const product = (flags: readonly (readonly boolean[])[]): Uint8Array => {
  const data = new Uint8Array(sizeOf(flags.map((f) => f.length)));
  for (let flat = 0; flat < data.length; flat++) {
    let rest = flat;
    let holds = true;
    for (const own of flags.toReversed()) {
      holds &&= own[rest % own.length] ?? false;
      rest = Math.floor(rest / own.length);
    }
    data[flat] = holds ? 1 : 0;
  }
  return data;
};

/** Which numbers a part has in one pass, and how many. */
export const maskIn = (
  part: Part,
  rows: Rows,
  sequence: Sequence,
): { readonly mask: Tensor<'bool'>; readonly count: Tensor<'float32'> } => {
  const flags = flagsOf(part, rows, sequence);
  const counts = flags.map((own) => own.filter(Boolean).length);
  const masked = flags.map((own, a) => (part.maskAxes.includes(part.type.axes[a] ?? '') ? own : [true]));
  return {
    mask: bool(
      masked.map((own) => own.length),
      product(masked),
    ),
    count: float32([], Float32Array.of(sizeOf(counts))),
  };
};
