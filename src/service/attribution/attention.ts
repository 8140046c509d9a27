import { wholeSites } from '../chosen-sites.js';
import {
  attentionFlow,
  attentionRollout,
  crossRelevance,
  meanOverHeads,
  selfRelevance,
  type LayerAttention,
  type Pattern,
} from '../../analyses/attribution/index.js';
import { UsageError } from '../../base/index.js';
import { forward, gradientBatch, gradientBytes, placedSites, type PlacedSite } from '../../engine/index.js';
import type { Tensor } from '../../tensor/index.js';
import { predictBytes } from '../predict-bytes.js';
import type { Explained } from './explained.js';
import { encoder, type TextModel } from './text-model.js';

const unfit = (message: string, hint: string): UsageError => new UsageError(message, { code: 'METHOD_UNFIT', hint });

/** The patterns of a stack, layer by layer. */
const patternsIn = ({ variant }: TextModel, kind: 'attn' | 'cross_attn', stack?: 'encoder' | 'decoder') =>
  placedSites(variant.order).filter(
    ({ instance, site }) =>
      instance.segment.kind === 'block' && instance.segment.stack === stack && site.name.endsWith(`.${kind}.pattern`),
  );

/** Where a number is read from the stream: its position; the first token, of a classifier. */
const placeOf = ({ model, prompt }: TextModel, { position }: Explained): number =>
  model.program.facts.output === 'labels' ? 0 : (position ?? prompt.ids.length - 1);

/** @throws UsageError METHOD_UNFIT */
const oneStack = (text: TextModel, method: string): readonly PlacedSite[] => {
  if (text.model.program.facts.encoder)
    throw unfit(
      `${method} follows one stack of attention, and this model has an encoder and a decoder`,
      'Take attention-gradient, which follows both, or a method by gradients, such as lrp.',
    );
  const places = patternsIn(text, 'attn');
  if (places.length > 0) return places;
  throw unfit('no layer of this model has attention', 'Take a method by gradients, or one that leaves tokens out.');
};

/** The mean pattern of each layer. */
const meanPatterns = async (text: TextModel, places: readonly PlacedSite[]): Promise<readonly Pattern[]> => {
  const { model, variant, prompt, onSegment, maxBytes } = text;
  predictBytes(wholeSites(places), prompt, { maxBytes });
  const { sites } = await forward(model, {
    ...{ variant, ids: [prompt.ids], capture: new Set(places.map((p) => p.name)), logits: 'none', onSegment },
  });
  text.onTexts(1);
  return places.map(({ name }) => {
    const pattern = sites.get(name);
    const [, heads = 0, length = 0] = pattern?.shape ?? [];
    return meanOverHeads((pattern?.data ?? []) as ArrayLike<number>, { heads, length });
  });
};

/** Attention rollout from each row's position. [row][token] */
export const rollout = async (text: TextModel, rows: readonly Explained[]): Promise<readonly (readonly number[])[]> => {
  const all = attentionRollout(await meanPatterns(text, oneStack(text, 'attention-rollout')));
  return rows.map((row) => all[placeOf(text, row)] ?? []);
};

/** Edges of the largest network that a flow is sought in. */
const mostEdges = 400_000;

/** Attention flow to each row's position. [row][token] */
export const flow = async (text: TextModel, rows: readonly Explained[]): Promise<readonly (readonly number[])[]> => {
  const places = oneStack(text, 'attention-flow');
  const edges = places.length * text.prompt.ids.length ** 2;
  if (edges > mostEdges)
    throw unfit(
      `attention-flow seeks a largest flow for each token, and ${places.length} layers over ${text.prompt.ids.length} tokens are too many for that`,
      'Take attention-rollout, or a shorter text.',
    );
  const patterns = await meanPatterns(text, places);
  const found: (readonly number[])[] = [];
  for (const row of rows) {
    await text.onSegment();
    found.push(await attentionFlow(patterns, placeOf(text, row), text.onSegment));
  }
  return found;
};

const layerOf = (pattern: Tensor | undefined, gradient: Tensor | undefined): LayerAttention => {
  const [, heads = 0, queries = 0, keys = 0] = pattern?.shape ?? [];
  const numbers = (t: Tensor | undefined) => (t?.data ?? []) as ArrayLike<number>;
  return { pattern: numbers(pattern), gradient: numbers(gradient), heads, queries, keys };
};

/** Attention times its gradient, over all layers. [row][token], tokens of the source first */
export const attentionGradient = async (
  text: TextModel,
  rows: readonly Explained[],
): Promise<readonly { readonly scores: readonly number[]; readonly value: number }[]> => {
  const found = [];
  for (const row of rows) found.push(await attentionGradientOf(text, row));
  return found;
};

const attentionGradientOf = async (text: TextModel, row: Explained) => {
  const { model, variant, prompt, onSegment, maxBytes } = text;
  const both = model.program.facts.encoder !== undefined;
  const own = both ? patternsIn(text, 'attn', 'decoder') : oneStack(text, 'attention-gradient');
  const cross = both ? patternsIn(text, 'cross_attn', 'decoder') : [];
  const first = both ? patternsIn(text, 'attn', 'encoder') : [];
  const places = [...first, ...own, ...cross];
  const names = places.map((p) => p.name);
  const request = {
    ...{ variant, items: [{ expression: row.expression, prompt }], sites: names, capture: names },
    ...{ encode: encoder(text), onSegment },
  };
  predictBytes(wholeSites(places), prompt, { maxBytes, more: gradientBytes(model, request) });
  const { values, sites, scalars } = await gradientBatch(model, request);
  text.onTexts(1);
  const layers = (of: readonly PlacedSite[]) => of.map(({ name }) => layerOf(values.get(name), sites.get(name)));
  const at = placeOf(text, row);
  const value = scalars[0] ?? NaN;
  if (!both) return { value, scores: selfRelevance(layers(own))[at] ?? [] };
  const crossed = layers(cross);
  const decoder = layers(own).flatMap((layer, i) => {
    const other = crossed[i];
    return other ? [{ own: layer, cross: other }] : [];
  });
  const relevance = crossRelevance(layers(first), decoder);
  return { value, scores: [...(relevance.source[at] ?? []), ...(relevance.own[at] ?? [])] };
};
