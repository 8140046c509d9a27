import { siteIn, type Instance } from '../../engine/index.js';
import type { DebugSession } from '../../debugger/index.js';
import { typesOf, type Graph, type Site, type ValueId } from '../../graph/index.js';
import { lineText } from './frames.js';

/** A value of the layer that the run is in, and how it is referred to. */
export interface LayerValue {
  readonly name: string;
  readonly ref: string;
}

/** The sites of the layer that the run is in which the listing computes; others are worked out only where asked for. */
export const sitesHere = ({ instance, source }: DebugSession): readonly Site[] => {
  if (!instance) return [];
  const { id, graph } = instance.segment;
  const computed = new Set([...source.opsOf(id).map(({ node }) => node), ...graph.inputs.map((input) => input.id)]);
  return graph.sites.filter(({ value }) => computed.has(value));
};

/** The operations that a frame spans: one, a module's, a whole layer's. */
const spanned = ({ instance, source, position }: DebugSession, kind: 'op' | 'module' | 'layer'): readonly ValueId[] => {
  const ops = instance ? source.opsOf(instance.segment.id) : [];
  const here = ops[position.op];
  if (kind === 'op') return here ? [here.node] : [];
  if (kind === 'layer' || !here || here.module === '') return ops.map((o) => o.node);
  return ops.filter((o) => o.module === here.module || o.module.startsWith(`${here.module}.`)).map((o) => o.node);
};

const nameOf = (id: ValueId, { instance, source }: DebugSession, graph: Graph): string | undefined => {
  const own = graph.sites.find((s) => s.value === id);
  if (own && instance) return siteIn(instance, own.name);
  const line = instance && source.opsOf(instance.segment.id).find((o) => o.node === id)?.line;
  if (line !== undefined) return lineText(source.lines[line - 1]?.text ?? '').split(' = ')[0];
  return graph.inputs.find((i) => i.id === id)?.name;
};

/** A site by its name, a weight by the file's, else the operation; constants and shapes are left out. */
const valueOf = (id: ValueId, session: DebugSession, graph: Graph): LayerValue[] => {
  const param = graph.params.find((p) => p.id === id);
  if (param) return [{ name: param.name, ref: `weight:${param.name}` }];
  const name = nameOf(id, session, graph);
  if (name === undefined) return [];
  const isSite = graph.sites.some((s) => s.value === id);
  return [{ name, ref: isSite ? name : `op:${id}` }];
};

const isFloat = (instance: Instance, id: ValueId): boolean =>
  typesOf(instance.segment.graph).get(id)?.dtype === 'float32';

/** What a frame's operations read that they do not make, or make that is read behind them. */
export const boundaryValues = (
  session: DebugSession,
  kind: 'op' | 'module' | 'layer',
  side: 'inputs' | 'outputs',
): readonly LayerValue[] => {
  const { instance } = session;
  if (!instance) return [];
  const { graph } = instance.segment;
  const inside = new Set(spanned(session, kind));
  const nodes = graph.nodes.filter((n) => inside.has(n.id));
  const outside = graph.nodes.filter((n) => !inside.has(n.id));
  const read = new Set(outside.flatMap((n) => n.inputs));
  const out = new Set(graph.outputs.map((o) => o.value));
  const ids =
    side === 'inputs'
      ? nodes.flatMap((n) => n.inputs).filter((id) => !inside.has(id))
      : nodes.map((n) => n.id).filter((id) => read.has(id) || out.has(id));
  const wanted = [...new Set(ids)].filter((id) => graph.params.some((p) => p.id === id) || isFloat(instance, id));
  return wanted.flatMap((id) => valueOf(id, session, graph));
};
