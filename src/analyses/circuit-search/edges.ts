import { UsageError } from '../../base/index.js';
import type { Instance, SweepModel } from '../../engine/index.js';
import { scoresRows } from '../../engine/index.js';

/** What writes to the stream: the embedding, a head, an MLP; all heads together where a norm stands behind them. */
export type Sender =
  | { readonly kind: 'embed' }
  | { readonly kind: 'head'; readonly layer: number; readonly head: number }
  | { readonly kind: 'attention'; readonly layer: number }
  | { readonly kind: 'mlp'; readonly layer: number };

/**
 * What reads the stream: a head's queries, keys or values (of grouped heads one for all of a group; without a head those
 * of all), an MLP, the scores.
 */
export type Reader =
  | { readonly kind: 'q' | 'k' | 'v'; readonly layer: number; readonly head?: number }
  | { readonly kind: 'mlp'; readonly layer: number }
  | { readonly kind: 'logits' };

export const senderName = (sender: Sender): string => {
  switch (sender.kind) {
    case 'embed':
      return 'embed';
    case 'head':
      return `head ${sender.layer}.${sender.head}`;
    case 'attention':
    case 'mlp':
      return `${sender.kind} ${sender.layer}`;
  }
};

export const readerName = (reader: Reader): string => {
  switch (reader.kind) {
    case 'logits':
      return 'logits';
    case 'mlp':
      return `mlp ${reader.layer}`;
    default:
      return `${reader.kind} ${reader.layer}${reader.head === undefined ? '' : `.${reader.head}`}`;
  }
};

/** A way from what one part writes to what another reads, all positions together. */
export interface Edge {
  readonly from: Sender;
  readonly to: Reader;
  /** `head 1.6 -> k 2.0`: unique. */
  readonly name: string;
}

/** Does a reader come after a sender in the run? */
const follows = (to: Reader, from: Sender, { mlpReads }: Pick<Form, 'mlpReads'>): boolean => {
  if (to.kind === 'logits' || from.kind === 'embed') return true;
  const isBehind = to.kind === 'mlp' && from.kind !== 'mlp' && mlpReads === 'resid_mid';
  return isBehind ? to.layer >= from.layer : to.layer > from.layer;
};

/** How the parts of a layer stand to each other and to the stream. */
export interface Form {
  /** Whether each head writes to the stream, or all of a layer through a norm. */
  readonly attention: 'heads' | 'whole';
  /** What attention leaves in the stream, or, beside attention, the same as it. */
  readonly mlpReads: 'resid_mid' | 'resid_pre';
  /** The sites that an MLP makes first of what it reads, and nothing else reads. */
  readonly mlpSites: readonly string[];
}

/** The parts of a model between which edges run, layer by layer. */
export interface Wiring extends Form {
  readonly blocks: readonly Instance[];
  readonly heads: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
  readonly senders: readonly Sender[];
  readonly readers: readonly Reader[];
  readonly edges: readonly Edge[];
}

const counted = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const unfit = (family: string, why: string): UsageError =>
  new UsageError(`circuits are not searched in this model: ${why}`, {
    code: 'METHOD_UNFIT',
    hint: `${family} can be tested with \`cutaway patch\`: by head, by site, or along paths.`,
  });

/** A site's extent along an axis, in a block. */
const extentOf = ({ segment }: Instance, site: string, axis: string): number | undefined => {
  const { graph } = segment;
  const value = graph.sites.find((s) => s.name === `${segment.id}.${site}`)?.value;
  const type = [...graph.inputs, ...graph.nodes].find((v) => v.id === value)?.type;
  const extent = type?.shape[type.axes.indexOf(axis)];
  return typeof extent === 'number' ? extent : undefined;
};

/** What writes and what reads, layer by layer. */
const partsOf = (
  form: Form,
  counts: { readonly layers: number; readonly heads: number; readonly kvHeads: number },
): Pick<Wiring, 'senders' | 'readers' | 'edges'> => {
  const isWhole = form.attention === 'whole';
  const layers = counted(counts.layers);
  const senders: Sender[] = [
    { kind: 'embed' },
    ...layers.flatMap((layer): Sender[] => [
      ...(isWhole
        ? [{ kind: 'attention', layer } as const]
        : counted(counts.heads).map((head) => ({ kind: 'head', layer, head }) as const)),
      { kind: 'mlp', layer },
    ]),
  ];
  const of = (kind: 'q' | 'k' | 'v', layer: number): Reader[] =>
    isWhole
      ? [{ kind, layer }]
      : counted(kind === 'q' ? counts.heads : counts.kvHeads).map((head) => ({ kind, layer, head }));
  const readers: Reader[] = [
    ...layers.flatMap((layer): Reader[] => [
      ...(['q', 'k', 'v'] as const).flatMap((kind) => of(kind, layer)),
      { kind: 'mlp', layer },
    ]),
    { kind: 'logits' },
  ];
  const edges = readers.flatMap((to) =>
    senders
      .filter((from) => follows(to, from, form))
      .map((from) => ({ from, to, name: `${senderName(from)} -> ${readerName(to)}` })),
  );
  return { senders, readers, edges };
};

/** Sites of which one set is what every MLP makes first of what it reads, the first that there is. */
const mlpSites = [['ln2.normalized'], ['mlp.pre', 'mlp.pre_linear'], ['mlp.pre']];

/**
 * What writes to a model's stream and what reads it, in models whose stream is a sum.
 * @throws UsageError METHOD_UNFIT for a model of another form
 */
export const wiringOf = (model: SweepModel): Wiring => {
  const { program, variant } = model;
  const { family, facts } = program;
  const blocks = variant.order.filter((i) => i.segment.kind === 'block');
  if (facts.encoder) throw unfit(family, 'it has two stacks, an encoder and a decoder');
  if (facts.output !== 'next' || !scoresRows(model)) throw unfit(family, 'it does not score the next word, row by row');
  const [first] = blocks;
  const has = (site: string): boolean =>
    blocks.every(({ segment }) => segment.graph.sites.some((s) => s.name === `${segment.id}.${site}`));
  const ownMlp = mlpSites.find((sites) => sites.every(has));
  if (!first || !['attn.q', 'attn.k', 'attn.v', 'attn.result', 'mlp_out'].every(has) || !ownMlp)
    throw unfit(family, 'its layers are not made of heads and an MLP');
  if (has('resid_mid_raw')) throw unfit(family, 'a norm stands in its stream, which is no sum');
  if (variant.edits.size > 0) throw unfit(family, 'edits of values would be lost in it');
  const heads = extentOf(first, 'attn.q', 'head') ?? facts.heads;
  const kvHeads = extentOf(first, 'attn.k', 'kvHead') ?? extentOf(first, 'attn.k', 'head') ?? heads;
  const form: Form = {
    attention: has('attn.out_raw') ? 'whole' : 'heads',
    mlpReads: has('resid_mid') ? 'resid_mid' : 'resid_pre',
    mlpSites: ownMlp,
  };
  return { ...form, blocks, heads, kvHeads, ...partsOf(form, { layers: blocks.length, heads, kvHeads }) };
};

/** The sender that a reader belongs to: what it reads goes into what that writes. */
const ownerOf = (to: Reader, { heads, kvHeads }: Wiring): readonly string[] => {
  if (to.kind === 'logits') return [];
  if (to.kind === 'mlp') return [`mlp ${to.layer}`];
  const { head } = to;
  if (head === undefined) return [`attention ${to.layer}`];
  if (to.kind === 'q') return [`head ${to.layer}.${head}`];
  const group = heads / kvHeads;
  return counted(group).map((i) => `head ${to.layer}.${head * group + i}`);
};

/** Those edges that lie on a way from the embedding to the scores. */
export const connected = (edges: readonly Edge[], wiring: Wiring): readonly Edge[] => {
  let kept = edges;
  for (;;) {
    const fed = new Set(['embed', ...kept.flatMap((e) => ownerOf(e.to, wiring))]);
    const heard = new Set(kept.map((e) => senderName(e.from)));
    const next = kept.filter(
      (e) =>
        fed.has(senderName(e.from)) &&
        (e.to.kind === 'logits' || ownerOf(e.to, wiring).some((name) => heard.has(name))),
    );
    if (next.length === kept.length) return kept;
    kept = next;
  }
};
