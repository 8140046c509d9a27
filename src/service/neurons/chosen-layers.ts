import { UsageError } from '../../base/index.js';
import type { NeuronLayerPlace } from './neuron-layers.js';

/** All layers, or the one that is asked for. @throws UsageError OPTION_INVALID */
export const chosenLayers = (
  all: readonly NeuronLayerPlace[],
  layer: string | undefined,
): readonly NeuronLayerPlace[] => {
  if (layer === undefined) return all;
  const own = all.filter((l) => l.layer === layer);
  if (own.length > 0) return own;
  throw new UsageError(`there is no layer ${layer.slice(0, 40)} with neurons`, {
    code: 'OPTION_INVALID',
    hint: `The layers are ${all.map((l) => l.layer).join(', ')}.`,
  });
};
