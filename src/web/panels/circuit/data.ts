import { readingPart, type CircuitResult } from '../../../protocol/index.js';

export type CircuitEdge = CircuitResult['edges'][number];

/** A part of a circuit: `embed`, `head 2.0`, `attention 2`, `mlp 3`, `logits`. */
export interface CircuitNode {
  readonly name: string;
  readonly kind: 'embed' | 'head' | 'attention' | 'mlp' | 'logits';
  readonly layer: number | undefined;
  readonly head: number | undefined;
  /** Edges that lead to it or from it. */
  readonly edges: number;
}

/** Through which of a head's inputs an edge leads: `q`, `k`, `v`. */
export const portOf = (name: string): string | undefined => /^([qkv]) /.exec(name)?.[1];

const kinds = { embed: 'embed', logits: 'logits', head: 'head', attention: 'attention', mlp: 'mlp' } as const;

const nodeOf = (name: string, edges: number): CircuitNode => {
  const [, kind = 'embed', layer, head] = /^(\w+)(?: (\d+)(?:\.(\d+))?)?$/.exec(name) ?? [];
  return {
    ...{ name, kind: kinds[kind as keyof typeof kinds], edges },
    layer: layer === undefined ? undefined : Number(layer),
    head: head === undefined ? undefined : Number(head),
  };
};

/** The parts that edges join. */
export const nodesOf = (edges: readonly CircuitEdge[]): readonly CircuitNode[] => {
  const counts = new Map<string, number>();
  for (const { from, to } of edges)
    for (const name of [from, readingPart(to)]) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => nodeOf(name, count));
};

/** Where a part stands from below: the embedding, each layer's heads, its MLP, the scores. */
const heightOf = ({ kind, layer = 0 }: CircuitNode): number =>
  kind === 'embed' ? -1 : kind === 'logits' ? Infinity : 2 * layer + (kind === 'mlp' ? 1 : 0);

/** Parts in rows, the lowest first, heads by number. Rows without parts are left out. */
export const rowsOf = (nodes: readonly CircuitNode[]): readonly (readonly CircuitNode[])[] => {
  const heights = [...new Set(nodes.map(heightOf))].sort((a, b) => a - b);
  return heights.map((height) =>
    nodes.filter((node) => heightOf(node) === height).sort((a, b) => (a.head ?? 0) - (b.head ?? 0)),
  );
};

/** How much an edge carries: the share that is lost without it where that was measured, else the guess's. */
export const worthOf = ({ effect, score }: CircuitEdge): number => effect ?? score ?? 0;

/** Measured effects and guesses have other units: widths are of one kind alone. */
export const largestOf = (edges: readonly CircuitEdge[], isMeasured: boolean): number =>
  edges
    .filter((edge) => (edge.effect !== undefined) === isMeasured)
    .reduce((most, edge) => Math.max(most, Math.abs(worthOf(edge))), 1e-12);

/** The edges that carry most, the measured ones before those that were only guessed. */
export const strongestOf = (edges: readonly CircuitEdge[], most: number): readonly CircuitEdge[] =>
  [...edges]
    .sort(
      (a, b) =>
        Number(b.effect !== undefined) - Number(a.effect !== undefined) || Math.abs(worthOf(b)) - Math.abs(worthOf(a)),
    )
    .slice(0, most);

export interface Placed {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly places: ReadonlyMap<string, Placed>;
}

/** Pixels of a part, of a head the narrower; room at the sides, for the layers' names on the left. */
export const box = { width: 40, wide: 70, height: 18, side: 34, top: 12 } as const;

export const widthOf = ({ kind }: Pick<CircuitNode, 'kind'>): number => (kind === 'head' ? box.width : box.wide);

/** Pixels from row to row: many rows stand closer. */
const upOf = (rows: number): number => Math.max(34, Math.min(52, 500 / rows));

/** Where queries, keys and values enter a head, from its middle. */
const ports: Readonly<Record<string, number>> = { q: -14, v: 14 };

/** Places of the parts, the embedding at the bottom; as wide as there is room, or as the widest row needs. */
export const layoutOf = (rows: readonly (readonly CircuitNode[])[], room: number): Layout => {
  const widest = Math.max(1, ...rows.map((row) => row.length));
  const width = Math.max(room, box.side + widest * (box.width + 6));
  const up = upOf(rows.length);
  const height = 2 * box.top + (rows.length - 1) * up + box.height;
  const places = new Map<string, Placed>();
  for (const [r, row] of rows.entries())
    for (const [i, { name }] of row.entries())
      places.set(name, {
        x: box.side + ((width - box.side) * (i + 0.5)) / row.length,
        y: height - box.top - box.height / 2 - r * up,
      });
  return { width, height, places };
};

/** The line of an edge, from the top of one part to the bottom of another, as an SVG path; undefined where a part is none. */
export const linePath = ({ from, to }: CircuitEdge, places: Layout['places']): string | undefined => {
  const [a, b] = [places.get(from), places.get(readingPart(to))];
  if (!a || !b) return undefined;
  const [y0, y1, x1] = [a.y - box.height / 2, b.y + box.height / 2, b.x + (ports[portOf(to) ?? ''] ?? 0)];
  const middle = (y0 + y1) / 2;
  const point = (x: number, y: number): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${point(a.x, y0)}C${point(a.x, middle)} ${point(x1, middle)} ${point(x1, y1)}`;
};
