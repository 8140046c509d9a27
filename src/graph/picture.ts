import type { Graph, Node } from './graph.js';
import { typesOf } from './graph.js';
import { prune } from './passes/index.js';
import { carried, encoded, type Program, type Segment, type Stack } from './program.js';
import type { Dim, ValueId } from './value.js';

/** A module of a block, or a sum in the stream. `inputs`: parts before it, `stream` (what comes in), `source` (the encoder's). */
export interface PicturePart {
  /** As in names of sites: `attn`, `ln1`, `mlp`; sums are `sum`, `sum.1` ... */
  readonly id: string;
  readonly kind: 'norm' | 'attention' | 'mlp' | 'experts' | 'sum' | 'other';
  readonly inputs: readonly string[];
  readonly parameters: number;
  readonly heads?: number;
  /** Of a mixture: how many there are, and how many a token is given. */
  readonly experts?: number;
  readonly chosen?: number;
}

/** How the parts of a block hang together; equal blocks have one. */
export interface PictureForm {
  readonly parts: readonly PicturePart[];
  /** The part that the stream leaves by. */
  readonly output: string;
}

export interface PictureBlock {
  readonly id: string;
  readonly kind: Segment['kind'];
  readonly stack?: Stack;
  readonly layer?: number;
  /** Which of the forms. */
  readonly form: number;
  readonly parameters: number;
}

/** A model as one draws it: its segments in order, and what equal ones look like inside. */
export interface Picture {
  readonly blocks: readonly PictureBlock[];
  readonly forms: readonly PictureForm[];
}

const streamInput = 'stream';
const sourceInput = 'source';

const sizeOf = (shape: readonly Dim[]): number =>
  shape.reduce<number>((n, d) => n * (typeof d === 'number' ? d : 1), 1);

/** `attn` of `decoder.blocks.3.attn.experts.0`; empty for what the block itself does. */
const moduleOf = ({ scope }: Node, { id, stack }: Segment): string => {
  if (scope === id) return '';
  const inner = scope.startsWith(`${id}.`) ? scope.slice(id.length + 1) : scope;
  const own = stack !== undefined && inner.startsWith(`${stack}.`) ? inner.slice(stack.length + 1) : inner;
  return own.split('.')[0] ?? '';
};

/** What a module is, by the sites that it has: families name theirs alike. */
const factsOf = (part: string, segment: Segment): Omit<PicturePart, 'id' | 'inputs' | 'parameters'> => {
  const types = typesOf(segment.graph);
  const typeOf = (name: string) => {
    const site = segment.graph.sites.find((s) => s.name.endsWith(`${part}.${name}`));
    return site && types.get(site.value);
  };
  const extent = (name: string, axis: string): number | undefined => {
    const type = typeOf(name);
    const size = type?.shape[type.axes.indexOf(axis)];
    return typeof size === 'number' ? size : undefined;
  };
  const heads = extent('pattern', 'head');
  if (typeOf('pattern')) return { kind: 'attention', ...(heads === undefined ? {} : { heads }) };
  const [experts, chosen] = [extent('router', 'expert'), extent('chosen', 'slot')];
  if (experts !== undefined) return { kind: 'experts', experts, ...(chosen === undefined ? {} : { chosen }) };
  if (typeOf('post')) return { kind: 'mlp' };
  return { kind: typeOf('normalized') ? 'norm' : 'other' };
};

/** Where the values that come from outside belong. */
const outside = ({ graph, reads }: Segment): Map<ValueId, string> =>
  new Map(
    graph.inputs.flatMap(({ id, name }): (readonly [ValueId, string])[] => {
      if (name === carried) return [[id, streamInput]];
      return name === encoded || reads?.[name] !== undefined ? [[id, sourceInput]] : [];
    }),
  );

interface Growing {
  readonly inputs: Set<string>;
  readonly weights: Set<ValueId>;
}

/** Which part each node belongs to. What the block itself computes is a sum, or goes with what it reads. */
const collect = (segment: Segment, graph: Graph): { parts: Map<string, Growing>; owner: Map<ValueId, string> } => {
  const owner = outside(segment);
  const parts = new Map<string, Growing>();
  const weights = new Set(graph.params.map((p) => p.id));
  let sums = 0;
  for (const node of graph.nodes) {
    if (node.op === 'Constant') continue;
    const from = node.inputs.map((id) => owner.get(id)).filter((name) => name !== undefined);
    const module = moduleOf(node, segment);
    const isSum = module === '' && node.op === 'Add' && new Set(from).size > 1;
    const name = isSum ? (sums++ === 0 ? 'sum' : `sum.${sums - 1}`) : module === '' ? from[0] : module;
    if (name === undefined) continue;
    owner.set(node.id, name);
    if (name === streamInput || name === sourceInput) continue;
    const part = parts.get(name) ?? { inputs: new Set(), weights: new Set() };
    parts.set(name, part);
    for (const one of from) if (one !== name) part.inputs.add(one);
    for (const id of node.inputs) if (weights.has(id)) part.weights.add(id);
  }
  return { parts, owner };
};

/** Sums that another sum alone reads are one with it: x + attn + mlp. */
const mergedSums = (form: PictureForm): PictureForm => {
  const inner = form.parts.find(({ id, kind }) => {
    const readers = form.parts.filter((p) => p.inputs.includes(id));
    return kind === 'sum' && id !== form.output && readers.length === 1 && readers[0]?.kind === 'sum';
  });
  if (!inner) return form;
  const parts = form.parts
    .filter((p) => p !== inner)
    .map((p) => ({ ...p, inputs: p.inputs.flatMap((one) => (one === inner.id ? inner.inputs : [one])) }));
  return mergedSums({ ...form, parts });
};

const formOf = (segment: Segment): PictureForm => {
  const graph = prune(segment.graph);
  const { parts, owner } = collect(segment, graph);
  const names = [...parts.keys()];
  const sizes = new Map(graph.params.map((p) => [p.id, sizeOf(p.type.shape)]));
  const stream = graph.outputs.find((o) => o.name === carried) ?? graph.outputs[0];
  return mergedSums({
    parts: [...parts].map(([id, { inputs, weights }], at) => ({
      id,
      // What a part reads of later ones, such as a table that is made again, is no arrow.
      inputs: [...inputs].filter((one) => one === streamInput || one === sourceInput || names.indexOf(one) < at),
      parameters: [...weights].reduce((n, weight) => n + (sizes.get(weight) ?? 0), 0),
      ...(id.startsWith('sum') ? { kind: 'sum' as const } : factsOf(id, segment)),
    })),
    output: (stream && owner.get(stream.value)) ?? names.at(-1) ?? streamInput,
  });
};

/** The architecture of a program, read from its graphs. */
export const pictureOf = (program: Program): Picture => {
  const forms: PictureForm[] = [];
  const keys: string[] = [];
  const blocks = program.segments.map((segment): PictureBlock => {
    const form = formOf(segment);
    const key = JSON.stringify(form);
    const found = keys.indexOf(key);
    if (found < 0) {
      keys.push(key);
      forms.push(form);
    }
    const { id, kind, stack, layer } = segment;
    return {
      ...{ id, kind, form: found < 0 ? forms.length - 1 : found },
      ...(stack === undefined ? {} : { stack }),
      ...(layer === undefined ? {} : { layer }),
      parameters: segment.graph.params.reduce((n, p) => n + sizeOf(p.type.shape), 0),
    };
  });
  return { blocks, forms };
};
