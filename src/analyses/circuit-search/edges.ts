import { UsageError } from '../../base/index.js';
import type { Instance, SweepModel } from '../../engine/index.js';
import { scoresRows } from '../../engine/index.js';

/** What writes to the stream: the embedding, a head, an MLP. */
export type Sender =
  | { readonly kind: 'embed' }
  | { readonly kind: 'head'; readonly layer: number; readonly head: number }
  | { readonly kind: 'mlp'; readonly layer: number };

/** What reads the stream: a head's queries, keys or values (of grouped heads one for all of a group), an MLP, the scores. */
export type Reader =
  | { readonly kind: 'q' | 'k' | 'v'; readonly layer: number; readonly head: number }
  | { readonly kind: 'mlp'; readonly layer: number }
  | { readonly kind: 'logits' };

export const senderName = (sender: Sender): string => {
  switch (sender.kind) {
    case 'embed':
      return 'embed';
    case 'head':
      return `head ${sender.layer}.${sender.head}`;
    case 'mlp':
      return `mlp ${sender.layer}`;
  }
};

export const readerName = (reader: Reader): string => {
  switch (reader.kind) {
    case 'logits':
      return 'logits';
    case 'mlp':
      return `mlp ${reader.layer}`;
    default:
      return `${reader.kind} ${reader.layer}.${reader.head}`;
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
const follows = (to: Reader, from: Sender): boolean => {
  if (to.kind === 'logits' || from.kind === 'embed') return true;
  return to.kind === 'mlp' && from.kind === 'head' ? to.layer >= from.layer : to.layer > from.layer;
};

/** The parts of a model between which edges run, layer by layer. */
export interface Wiring {
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

/**
 * What writes to a model's stream and what reads it. In models whose stream is a sum: norms before each sublayer, the MLP
 * behind attention.
 * @throws UsageError OPTION_INVALID for a model of another form
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
  if (!first || !['resid_mid', 'attn.q', 'attn.k', 'attn.v', 'attn.result', 'ln2.normalized'].every(has))
    throw unfit(family, 'its MLP does not read what attention leaves in the stream');
  if (['resid_mid_raw', 'attn.out_raw', 'mlp.out_raw'].some(has))
    throw unfit(family, 'a norm stands between a part and the stream');
  if (variant.edits.size > 0) throw unfit(family, 'edits of values would be lost in it');
  const heads = extentOf(first, 'attn.q', 'head') ?? facts.heads;
  const kvHeads = extentOf(first, 'attn.k', 'kvHead') ?? extentOf(first, 'attn.k', 'head') ?? heads;
  const layers = counted(blocks.length);
  const senders: Sender[] = [
    { kind: 'embed' },
    ...layers.flatMap((layer): Sender[] => [
      ...counted(heads).map((head) => ({ kind: 'head', layer, head }) as const),
      { kind: 'mlp', layer },
    ]),
  ];
  const readers: Reader[] = [
    ...layers.flatMap((layer): Reader[] => [
      ...counted(heads).map((head) => ({ kind: 'q', layer, head }) as const),
      ...counted(kvHeads).flatMap((head) => [{ kind: 'k', layer, head } as const, { kind: 'v', layer, head } as const]),
      { kind: 'mlp', layer },
    ]),
    { kind: 'logits' },
  ];
  const edges = readers.flatMap((to) =>
    senders
      .filter((from) => follows(to, from))
      .map((from) => ({ from, to, name: `${senderName(from)} -> ${readerName(to)}` })),
  );
  return { blocks, heads, kvHeads, senders, readers, edges };
};

/** The sender that a reader belongs to: what it reads goes into what that writes. */
const ownerOf = (to: Reader, { heads, kvHeads }: Wiring): readonly string[] => {
  if (to.kind === 'logits') return [];
  if (to.kind === 'mlp') return [`mlp ${to.layer}`];
  if (to.kind === 'q') return [`head ${to.layer}.${to.head}`];
  const group = heads / kvHeads;
  return counted(group).map((i) => `head ${to.layer}.${to.head * group + i}`);
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
