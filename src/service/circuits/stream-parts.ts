import { UsageError } from '../../base/index.js';
import { FrozenPart, placedSites, type PlacedSite, type Variant } from '../../engine/index.js';
import { toSitePath, type SiteName } from '../../language/index.js';
import { float32, range, toFloat32, type Tensor } from '../../tensor/index.js';
import { layerName } from '../components/tell-parts.js';
import type { OpenModel } from '../open-model.js';
import type { AttentionLayer } from './head-places.js';

/** What is in the stream at one position, part by part. */
export interface StreamParts {
  readonly names: readonly string[];
  /** [1, part, model] */
  readonly rows: Tensor<'float32'>;
}

const embeddings = new Set(['embed', 'pos_embed', 'type_embed']);
/** Where the sum of the embeddings is normed, what comes of that. */
const normedEmbedding = 'ln_embed';
const outputs = /^(cross_)?attn\.z$|^mlp_out$/;

/** The sites before a layer that its stream is the sum of. */
export const summandSites = (variant: Variant, layer: AttentionLayer): readonly PlacedSite[] => {
  const before = variant.order.slice(
    0,
    variant.order.findIndex((i) => i.name === layer.instance.name),
  );
  const own = placedSites(before).flatMap((place) => {
    const { local, stack } = toSitePath(place.name as SiteName);
    return stack === layer.stack ? [{ place, local }] : [];
  });
  const normed = own.some(({ local }) => local === normedEmbedding);
  const isSummand = (local: string): boolean =>
    outputs.test(local) || (normed ? local === normedEmbedding : embeddings.has(local));
  return own.filter(({ local }) => isSummand(local)).map(({ place }) => place);
};

/** @throws UsageError METHOD_UNFIT where norms stand in the stream itself */
export const checkSummed = (variant: Variant): void => {
  if (!placedSites(variant.order).some((p) => p.name.endsWith('.resid_post_raw'))) return;
  throw new UsageError('in this model norms stand in the stream itself, so that it is no sum of what parts wrote', {
    code: 'METHOD_UNFIT',
    hint: 'Ask without a prompt for what the head’s matrices do; `cutaway inspect --grad-of` tells what a score changes with.',
  });
};

const rowsAt = (tensor: Tensor, position: number): Float32Array => {
  const row = range(tensor, 1, [position, position + 1]);
  return Float32Array.from(toFloat32(row));
};

/** Each head's numbers alone in a row. [1, head, head, headDim] */
const separated = (z: Float32Array, heads: number): Tensor<'float32'> => {
  const headDim = z.length / heads;
  const data = new Float32Array(heads * z.length);
  for (let h = 0; h < heads; h++) data.set(z.subarray(h * headDim, (h + 1) * headDim), (h * heads + h) * headDim);
  return float32([1, heads, heads, headDim], data);
};

const repeated = (held: ReadonlyMap<string, Tensor>, count: number): ReadonlyMap<string, Tensor> =>
  new Map(
    [...held].map(([name, t]) => {
      const once = toFloat32(t);
      const data = new Float32Array(once.length * count);
      for (let i = 0; i < count; i++) data.set(once, i * once.length);
      return [name, float32([1, count, ...t.shape.slice(2)], data)];
    }),
  );

/** Takes the stream before a layer apart, at any position. */
export class StreamSplitter {
  private constructor(
    readonly sites: readonly PlacedSite[],
    readonly outs: ReadonlyMap<string, FrozenPart>,
    readonly modelDim: number,
  ) {}

  /** @throws UsageError OPTION_INVALID */
  static async open(model: OpenModel, variant: Variant, layer: AttentionLayer): Promise<StreamSplitter> {
    checkSummed(variant);
    const sites = summandSites(variant, layer);
    const outs = new Map<string, FrozenPart>();
    for (const { name, site, instance } of sites.filter((p) => p.name.endsWith('attn.z')))
      outs.set(
        name,
        await FrozenPart.open(model, variant, {
          segment: instance.segment,
          from: site.name,
          to: site.name.replace(/attn\.z$/, 'attn_out'),
        }),
      );
    return new StreamSplitter(sites, outs, model.program.facts.modelDim);
  }

  /**
   * What each part put into the stream at a position. What no part did, such as an edit, is the part `rest`.
   * @param values of the sites, and of the stream before the layer
   */
  async at(values: ReadonlyMap<string, Tensor>, stream: Tensor, position: number): Promise<StreamParts> {
    const parts: { name: string; row: Float32Array }[] = [];
    for (const place of this.sites) {
      const value = values.get(place.name);
      if (!value) continue;
      if (place.name.endsWith('attn.z'))
        parts.push(...(await this.#heads(place, rowsAt(value, position), value.shape[2] ?? 1)));
      else parts.push({ name: nameOf(place), row: rowsAt(value, position) });
    }
    const rest = rowsAt(stream, position);
    const size = rest.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    for (const { row } of parts) row.forEach((x, i) => (rest[i] = (rest[i] ?? 0) - x));
    if (rest.some((x) => Math.abs(x) > 1e-4 * Math.max(1, size))) parts.push({ name: 'rest', row: rest });
    const data = new Float32Array(parts.length * this.modelDim);
    parts.forEach(({ row }, i) => data.set(row, i * this.modelDim));
    return { names: parts.map((p) => p.name), rows: float32([1, parts.length, this.modelDim], data) };
  }

  async dispose(): Promise<void> {
    for (const out of this.outs.values()) await out.dispose();
  }

  async #heads(place: PlacedSite, z: Float32Array, heads: number): Promise<{ name: string; row: Float32Array }[]> {
    const out = this.outs.get(place.name);
    if (!out) return [];
    const whole = float32([1, 1, heads, z.length / heads], z);
    const held = await out.divisors(whole);
    const rows = await out.linear(separated(z, heads), { held: repeated(held, heads) });
    const bias = await out.constant({ held });
    const path = toSitePath(place.name as SiteName);
    const cross = path.local.startsWith('cross') ? 'cross ' : '';
    const layer = layerName(path) ?? '';
    const own = Array.from({ length: heads }, (_, h) => ({
      name: `${cross}head ${layer}.${h}`,
      row: rows.data.slice(h * this.modelDim, (h + 1) * this.modelDim),
    }));
    return bias.data.some((x) => x !== 0)
      ? [...own, { name: `${cross}bias ${layer}`, row: Float32Array.from(bias.data) }]
      : own;
  }
}

const nameOf = (place: PlacedSite): string => {
  const path = toSitePath(place.name as SiteName);
  return path.local === 'mlp_out' ? `MLP ${layerName(path) ?? ''}` : path.local;
};
