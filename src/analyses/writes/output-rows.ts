import { bug, UsageError } from '../../base/index.js';
import type { Graph, Node, ValueId } from '../../graph/index.js';

/** The matrix that reads a site: its weight, its layout, and whether what it gives is added to the stream as it is. */
export interface OutputMatrix {
  readonly weight: string;
  readonly layout: 'out,in' | 'in,out';
  readonly isAddedPlain: boolean;
}

const readersOf = (graph: Graph, value: ValueId): readonly Node[] =>
  graph.nodes.filter((n) => n.inputs.includes(value));

/**
 * The output matrix behind a site of a block, such as `mlp.post` or `attn.z`: the linear that reads it, through changes of
 * its form. `out`: the site of what the matrix and its bias give.
 * @throws UsageError OPTION_INVALID where there is none
 */
export const outputMatrix = (
  graph: Graph,
  { site, out }: { readonly site: string; readonly out: string },
): OutputMatrix => {
  const valueOf = (name: string): ValueId | undefined => graph.sites.find((s) => s.name === name)?.value;
  const params = new Map(graph.params.map((p) => [p.id, p.name]));
  const from = valueOf(site);
  const seen: ValueId[] = from === undefined ? [] : [from];
  for (const value of seen)
    for (const node of readersOf(graph, value)) {
      const weight = params.get(node.inputs[1] ?? ('' as ValueId));
      if (node.op === 'Linear' && weight !== undefined) {
        const { layout } = node.attrs as { layout: OutputMatrix['layout'] };
        const sums = readersOf(graph, node.id).filter((n) => n.op === 'Add' && n.inputs.some((id) => params.has(id)));
        const given = [node.id, ...sums.map((n) => n.id)];
        const made = valueOf(out);
        return { weight, layout, isAddedPlain: made !== undefined && given.includes(made) };
      }
      if (['Reshape', 'Transpose', 'ReshapeLike'].includes(node.op)) seen.push(node.id);
    }
  throw new UsageError(`no matrix reads ${site}`, {
    code: 'OPTION_INVALID',
    hint: 'A mixture of experts has one an expert.',
  });
};

/** What one input of the matrix writes for each unit of it. @param data in the file's layout @returns [model] */
export const outputRow = (
  data: Float32Array,
  { layout, shape }: Pick<OutputMatrix, 'layout'> & { readonly shape: readonly number[] },
  index: number,
): Float32Array => {
  const [rows = 0, columns = 0] = shape;
  if (layout === 'in,out') return data.slice(index * columns, (index + 1) * columns);
  if (index >= columns) throw bug(`there is no input ${index}`);
  return Float32Array.from({ length: rows }, (_, r) => data[r * columns + index] ?? 0);
};

/** A sum of rows, each times a number. */
export const mixed = (rows: readonly Float32Array[], by: readonly number[]): Float32Array => {
  const out = new Float32Array(rows[0]?.length ?? 0);
  rows.forEach((row, i) => row.forEach((x, m) => (out[m] = (out[m] ?? 0) + x * (by[i] ?? 0))));
  return out;
};
