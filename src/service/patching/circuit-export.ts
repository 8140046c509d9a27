import { readingPart, type CircuitResult } from '../../protocol/index.js';
import { svgDocument, textAt, tip, type Exportable, type Table } from '../exports/index.js';

type Edge = CircuitResult['edges'][number];

const layerOf = (name: string, layers: number): number => {
  if (name === 'embed') return 0;
  if (name === 'logits') return 2 * layers + 1;
  const [, kind, layer] = /^(\w+) (\d+)/.exec(name) ?? [];
  return 1 + 2 * Number(layer) + (kind === 'mlp' ? 1 : 0);
};

const portOf = (name: string): string => /^([qkv]) /.exec(name)?.[1] ?? '';

const weightOf = ({ effect, score }: Edge, most: number): number => Math.abs(effect ?? score ?? 0) / most;

const strength = (edges: readonly Edge[]): number =>
  Math.max(1e-12, ...edges.map((e) => Math.abs(e.effect ?? e.score ?? 0)));

/** For Graphviz. */
const dotOf = ({ edges, metric }: CircuitResult): string => {
  const most = strength(edges);
  const quoted = (text: string): string => JSON.stringify(text);
  const lines = edges.map((e) => {
    const port = portOf(e.to);
    const width = (0.5 + 4 * weightOf(e, most)).toFixed(2);
    return `  ${quoted(e.from)} -> ${quoted(readingPart(e.to))} [penwidth=${width}${port === '' ? '' : `, label=${quoted(port)}`}];`;
  });
  return [
    'digraph circuit {',
    `  label=${quoted(metric)}; rankdir=BT; node [shape=box, fontname="sans-serif"];`,
    ...lines,
    '}',
    '',
  ].join('\n');
};

/** A line an edge. */
const tableOf = ({ edges }: CircuitResult): Table => ({
  columns: ['from', 'to', 'score', 'effect'],
  rows: edges.map((e) => [e.from, e.to, e.score, e.effect]),
});

const [across, up, margin] = [110, 64, 50];

/** Layers from below to above, as the stream goes; the wider a line, the more it carries. */
const circuitSvg = ({ edges, metric, model, faithfulness }: CircuitResult): string => {
  const names = [...new Set(edges.flatMap((e) => [e.from, readingPart(e.to)]))];
  const rows = [...new Set(names.map((n) => layerOf(n, model.layers)))].sort((a, b) => a - b);
  const inRow = rows.map((row) => names.filter((n) => layerOf(n, model.layers) === row).sort());
  const widest = Math.max(1, ...inRow.map((row) => row.length));
  const [width, height] = [Math.max(420, 2 * margin + widest * across), 2 * margin + rows.length * up + 20];
  const places = new Map(
    inRow.flatMap((row, r) =>
      row.map(
        (name, i) =>
          [name, { x: width / 2 + (i - (row.length - 1) / 2) * across, y: height - margin - r * up }] as const,
      ),
    ),
  );
  const most = strength(edges);
  const lines = edges.map((e) => {
    const [a, b] = [places.get(e.from), places.get(readingPart(e.to))];
    const middle = ((a?.y ?? 0) + (b?.y ?? 0)) / 2;
    const line = `M${a?.x} ${(a?.y ?? 0) - 12} C${a?.x} ${middle} ${b?.x} ${middle} ${b?.x} ${(b?.y ?? 0) + 12}`;
    const title = `${e.from} to ${e.to}: ${(e.effect ?? e.score ?? 0).toFixed(4)}`;
    return `<path d="${line}" fill="none" stroke="#2b6cb0" stroke-opacity="0.6" stroke-width="${(0.6 + 5 * weightOf(e, most)).toFixed(2)}">${tip(title)}</path>`;
  });
  const boxes = [...places].map(
    ([name, { x, y }]) =>
      `<rect x="${x - 42}" y="${y - 12}" width="84" height="24" rx="4" fill="white" stroke="#333"/>${textAt([x, y + 4], name, 'text-anchor="middle"')}`,
  );
  const title = `${metric}, ${edges.length} edges, faithfulness ${faithfulness?.toFixed(3) ?? ''}`;
  return svgDocument({ body: [...lines, ...boxes].join('\n'), width, height }, title);
};

/** A result in the forms in which it is written. */
export const circuitExport = (result: CircuitResult): Exportable => ({
  json: () => result,
  csv: () => tableOf(result),
  svg: () => circuitSvg(result),
  dot: () => dotOf(result),
});
