import { placedSites, type Instance, type PlacedSite } from '../../engine/index.js';
import { toSitePath, type SiteName } from '../../language/index.js';
import { layerName } from '../components/tell-parts.js';

/** A layer with heads of its own. */
export interface AttentionLayer {
  /** As edits name it: `3`, `encoder.3`, `3#2`. */
  readonly layer: string;
  readonly instance: Instance;
  readonly stack: 'encoder' | 'decoder' | undefined;
  /** In the segment: `blocks.3`. */
  readonly id: string;
  readonly heads: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly pattern: PlacedSite;
}

const extent = (
  places: readonly PlacedSite[],
  { instance, site }: { instance: Instance; site: string },
  axis: string,
): number => {
  const type = places.find((p) => p.instance === instance && p.site.name === site)?.type;
  return Number(type?.shape[type.axes.indexOf(axis)] ?? 0);
};

/** The layers of a run order that have self-attention, in its order. */
export const attentionLayers = (order: readonly Instance[]): readonly AttentionLayer[] => {
  const places = placedSites(order);
  return places
    .filter((p) => p.site.name === `${p.instance.segment.id}.attn.pattern`)
    .map((pattern) => {
      const { instance } = pattern;
      const { id } = instance.segment;
      const heads = extent(places, { instance, site: `${id}.attn.z` }, 'head');
      return {
        ...{
          layer: layerName(toSitePath(pattern.name as SiteName)) ?? '',
          instance,
          stack: instance.segment.stack,
          id,
        },
        ...{ heads, headDim: extent(places, { instance, site: `${id}.attn.z` }, 'headDim') },
        ...{ kvHeads: extent(places, { instance, site: `${id}.attn.v` }, 'kvHead') || heads, pattern },
      };
    });
};

/** Which head of keys and values a head reads: heads of a group stand side by side. Ainslie 2023 §2.2. */
export const kvHeadOf = ({ heads, kvHeads }: Pick<AttentionLayer, 'heads' | 'kvHeads'>, head: number): number =>
  Math.floor(head / (heads / kvHeads));
