import { extentsFor, forward, placedSites, prepareExperiment, siteBytes } from '../../engine/index.js';
import { checkpoints } from '../cancel.js';
import type { Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import type { OpenSide } from './side.js';

/** GGUF's names of plain numbers. */
const plain: Readonly<Record<string, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** How most of a model's numbers are stored: a dtype, or GGUF's name of a quantisation. */
const storedAs = ({ weights }: OpenModel): string => {
  const counts = new Map<string, number>();
  for (const name of weights.names()) {
    const { dtype, encoding, length } = weights.info(name);
    const type = encoding?.type;
    const told = type === undefined ? dtype : (plain[type] ?? type);
    counts.set(told, (counts.get(told) ?? 0) + length);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'float32';
};

/** A model on our engine, with its edits. */
export const modelSide = async (name: string, opened: Opened, context: OperationContext): Promise<OpenSide> => {
  const { model, edits, prompt } = opened;
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  for (const text of notes) context.note(text);
  const places = new Map(placedSites(variant.order).map((place) => [place.name, place]));
  const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
  const known = new Set(model.weights.names());
  return {
    told: { name, kind: 'model', model: await model.summary(), dtype: storedAs(model) },
    sites: [...places.values()].filter((p) => !p.site.onRequest).map((p) => p.name),
    axesOf: (site) => places.get(site)?.type.axes,
    bytesOf: (site) => {
      const place = places.get(site);
      if (!place) return 0;
      return siteBytes(place.instance.segment.graph, [place.site.name], extents).get(place.site.name) ?? 0;
    },
    read: async (sites) => {
      const request = { variant, ids: [prompt.ids], capture: new Set(sites), logits: 'none' as const };
      const source = prompt.source ? { source: [prompt.source.ids] } : {};
      return (await forward(model, { ...request, ...source, onSegment: checkpoints(context) })).sites;
    },
    opened,
    config: model.program.config,
    weight: async (weight) => (known.has(weight) ? model.weights.read(weight) : undefined),
  };
};
