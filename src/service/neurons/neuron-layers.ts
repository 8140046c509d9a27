import { bug, UsageError } from '../../base/index.js';
import { placedSites, type Instance, type PlacedSite } from '../../engine/index.js';
import { toSitePath, type SiteName } from '../../language/index.js';
import { toFloat32, type Tensor } from '../../tensor/index.js';
import { layerName } from '../components/tell-parts.js';

/** A layer's neurons. */
export interface NeuronLayerPlace {
  readonly layer: string;
  readonly instance: Instance;
  readonly stack: 'encoder' | 'decoder' | undefined;
  /** In the segment: `blocks.3`. */
  readonly id: string;
  readonly post: PlacedSite;
  /** Which experts a token is given, of a mixture. */
  readonly chosen: PlacedSite | undefined;
  readonly width: number;
  /** 1 where it is no mixture. */
  readonly experts: number;
}

const axisOf = ({ type }: PlacedSite, axis: string): number => Number(type.shape[type.axes.indexOf(axis)] ?? 0);

/** The layers of a run order that have neurons. */
export const neuronLayers = (order: readonly Instance[]): readonly NeuronLayerPlace[] => {
  const places = placedSites(order);
  return places
    .filter((p) => p.site.name === `${p.instance.segment.id}.mlp.post`)
    .map((post) => {
      const { instance } = post;
      const { id, stack } = instance.segment;
      const own = (site: string) => places.find((p) => p.instance === instance && p.site.name === `${id}.${site}`);
      const router = own('mlp.router');
      return {
        ...{ layer: layerName(toSitePath(post.name as SiteName)) ?? '', instance, stack, id, post },
        ...{ chosen: own('mlp.chosen'), width: axisOf(post, 'neuron'), experts: router ? axisOf(router, 'expert') : 1 },
      };
    });
};

/** One neuron: its layer, and its number among all of the layer, experts one after the other. */
export interface NeuronPlace {
  readonly at: NeuronLayerPlace;
  readonly index: number;
}

/** `3.12`; of a mixture `3.EXPERT.12`. */
export const neuronName = ({ at, index }: NeuronPlace): string =>
  at.experts === 1 ? `${at.layer}.${index}` : `${at.layer}.${Math.floor(index / at.width)}.${index % at.width}`;

/** @throws UsageError OPTION_INVALID */
export const neuronNamed = (layers: readonly NeuronLayerPlace[], name: string): NeuronPlace => {
  for (const at of layers) {
    if (!name.startsWith(`${at.layer}.`)) continue;
    const parts = name.slice(at.layer.length + 1).split('.');
    if (parts.length !== (at.experts === 1 ? 1 : 2) || !parts.every((p) => /^\d{1,9}$/.test(p))) continue;
    const [expert, neuron] = parts.length === 1 ? [0, Number(parts[0])] : parts.map(Number);
    if ((expert ?? 0) < at.experts && (neuron ?? at.width) < at.width)
      return { at, index: (expert ?? 0) * at.width + (neuron ?? 0) };
  }
  const [first, last] = [layers[0], layers.at(-1)];
  if (!first || !last) throw bug('a model without neurons');
  const form = first.experts === 1 ? 'LAYER.NEURON' : 'LAYER.EXPERT.NEURON';
  throw new UsageError(`there is no neuron ${name.slice(0, 40)}`, {
    code: 'OPTION_INVALID',
    hint: `Neurons are named ${form}, from ${neuronName({ at: first, index: 0 })} to ${neuronName({ at: last, index: last.width * last.experts - 1 })}.`,
  });
};

/** The activations of a layer at a position: each neuron that was computed, by its number. */
export const activationsAt = (
  at: NeuronLayerPlace,
  values: ReadonlyMap<string, Tensor>,
  position: number,
): { readonly indices: Int32Array; readonly activations: Float32Array } => {
  const post = values.get(at.post.name);
  if (!post) throw bug(`${at.post.name} was not captured`);
  const size = post.data.length / (post.shape[1] ?? 1);
  const activations = toFloat32(post).slice(position * size, (position + 1) * size);
  if (!at.chosen) return { indices: Int32Array.from(activations, (_, i) => i), activations };
  const chosen = values.get(at.chosen.name);
  const slots = size / at.width;
  const experts = chosen ? toFloat32(chosen).slice(position * slots, (position + 1) * slots) : new Float32Array();
  const indices = Int32Array.from(
    activations,
    (_, i) => (experts[Math.floor(i / at.width)] ?? 0) * at.width + (i % at.width),
  );
  return { indices, activations };
};
