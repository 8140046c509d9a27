import type { Graph, Node, Site } from './graph.js';
import type { OpAttrs } from './ops.js';
import { prune } from './passes/index.js';
import type { Program, Segment } from './program.js';
import { formatType, type ValueId } from './value.js';

/** One line of a listing; its number is its place in the list, from 1. */
export interface ListingLine {
  readonly text: string;
  /** The operation on this line, in each of the segments that the line stands for. */
  readonly node?: ValueId;
  /** `blocks.0` to `blocks.11` for a line of a folded loop. */
  readonly segments: readonly string[];
  /** The site this line gives its value to, relative to the segment: `attn.pattern`. */
  readonly site?: string;
}

/** Consecutive segments that differ only in the layer's number. */
interface Run {
  readonly segments: readonly Segment[];
}

const layerOf = (segment: Segment): string | undefined => segment.layer?.toString();

/** The name with the layer's number left open, where it first stands; names that several segments read stay as they are. */
const folded = (name: string, segment: Segment, shared: ReadonlySet<string> = new Set()): string => {
  const layer = layerOf(segment);
  const parts = name.split('.');
  const at = layer === undefined || shared.has(name) ? -1 : parts.indexOf(layer);
  return parts.map((part, i) => (i === at ? '{L}' : part)).join('.');
};

/** Weights that more than one segment reads, such as one table of distances for all blocks. */
const sharedNames = (program: Program): ReadonlySet<string> => {
  const readers = new Map<string, number>();
  for (const { graph } of program.segments)
    for (const { name } of graph.params) readers.set(name, (readers.get(name) ?? 0) + 1);
  return new Set([...readers].filter(([, count]) => count > 1).map(([name]) => name));
};

/** What must be equal for two blocks to be one loop body. */
const formOf = (segment: Segment, shared: ReadonlySet<string>): string => {
  const { nodes, params, outputs } = segment.graph;
  return JSON.stringify([
    nodes.map((n) => [n.id, n.op, n.attrs, n.inputs]),
    params.map((p) => [p.id, folded(p.name, segment, shared), p.type.shape]),
    outputs,
  ]);
};

const runsOf = (program: Program, shared: ReadonlySet<string>): Run[] => {
  const runs: { form: string; segments: Segment[] }[] = [];
  for (const segment of program.segments) {
    const [form, last] = [formOf(segment, shared), runs.at(-1)];
    if (last?.form === form && segment.kind === 'block' && last.segments[0]?.stack === segment.stack)
      last.segments.push(segment);
    else runs.push({ form, segments: [segment] });
  }
  return runs;
};

const shownAttrs = (node: Node): string => {
  const hidden = new Set(['axes', 'layout', 'axis', 'extent']);
  const shown = Object.entries(node.attrs as Readonly<Record<string, unknown>>).filter(([key]) => !hidden.has(key));
  return shown.map(([key, value]) => `, ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join('');
};

const constantText = ({ values, shape }: OpAttrs['Constant']): string =>
  shape.length === 0 ? String(values[0]) : `[${values.join(', ')}]`;

/** How each value of a graph is written: a site by its name, a weight by the file's, a number as itself, else `%n`. */
const valueNames = (graph: Graph, segment: Segment, shared: ReadonlySet<string>): Map<ValueId, string> => {
  const names = new Map<ValueId, string>();
  for (const input of graph.inputs) names.set(input.id, input.name);
  for (const param of graph.params) names.set(param.id, folded(param.name, segment, shared));
  let count = 0;
  for (const node of graph.nodes) names.set(node.id, node.op === 'Constant' ? constantText(node.attrs) : `%${++count}`);
  for (const site of graph.sites) {
    const own = relative(site, segment);
    if (!graph.inputs.some((i) => i.id === site.value) && /^[%]/.test(names.get(site.value) ?? ''))
      names.set(site.value, own);
  }
  return names;
};

const relative = (site: Site, segment: Segment): string =>
  site.name.startsWith(`${segment.id}.`) ? site.name.slice(segment.id.length + 1) : site.name;

const title = ({ segments }: Run): string => {
  const [first, last] = [segments[0], segments.at(-1)];
  if (!first || !last) return '';
  if (first.kind !== 'block') return `${first.id}:`;
  const [from, to] = [layerOf(first) ?? '', layerOf(last) ?? ''];
  return from === to ? `${first.id}:` : `for L in ${from}..${to}:    # ${folded(first.id, first)}`;
};

const bodyOf = (run: Run, shared: ReadonlySet<string>): ListingLine[] => {
  const [segment] = run.segments;
  if (!segment) return [];
  const graph = prune(segment.graph);
  const names = valueNames(graph, segment, shared);
  const segments = run.segments.map((s) => s.id);
  const lines: ListingLine[] = [{ text: title(run), segments }];
  let scope = '';
  for (const node of graph.nodes) {
    if (node.op === 'Constant') continue;
    const inner = node.scope.startsWith(segment.id) ? node.scope.slice(segment.id.length + 1) : node.scope;
    if (inner !== scope && inner !== '') lines.push({ text: `  ${inner}:`, segments });
    scope = inner;
    const args = node.inputs.map((id) => names.get(id) ?? id).join(', ');
    const left = `${inner === '' ? '  ' : '    '}${names.get(node.id) ?? node.id} = ${node.op}(${args}${shownAttrs(node)})`;
    const site = graph.sites.find((s) => s.value === node.id);
    lines.push({
      text: `${left.padEnd(84)}  ${formatType(node.type)}`,
      node: node.id,
      segments,
      ...(site ? { site: relative(site, segment) } : {}),
    });
  }
  return lines;
};

/**
 * The model as source text: modules as blocks, one line an operation, shapes with the names of their axes at the
 * end, weights by name; runs of identical layers are one loop body.
 */
export const listingOf = (program: Program): readonly ListingLine[] => {
  const { layers, heads, modelDim, vocab } = program.facts;
  const shared = sharedNames(program);
  const head = `${program.family}: ${layers} layers, ${heads} heads, model ${modelDim}, vocabulary ${vocab}`;
  return [{ text: head, segments: [] }, ...runsOf(program, shared).flatMap((run) => bodyOf(run, shared))];
};

/** The listing as numbered text. */
export const formatListing = (lines: readonly ListingLine[]): string => {
  const width = String(lines.length).length;
  return lines.map((line, i) => `${String(i + 1).padStart(width)}  ${line.text}`).join('\n');
};
