import { UsageError } from '../../base/index.js';
import type { AttentionLayer } from './head-places.js';

/** A head by its name, `3.2` or `decoder.3.2`. @throws UsageError OPTION_INVALID */
export const needHead = (
  layers: readonly AttentionLayer[],
  name: string,
): { readonly layer: AttentionLayer; readonly head: number } => {
  const [, of = '', number = ''] = /^(.+)\.(\d{1,9})$/.exec(name) ?? [];
  const layer = layers.find((l) => l.layer === of);
  const head = Number(number);
  if (layer && number !== '' && head < layer.heads) return { layer, head };
  const [first, last] = [layers[0], layers.at(-1)];
  throw new UsageError(`there is no head ${name.slice(0, 40)}`, {
    code: 'OPTION_INVALID',
    hint: `Heads are named LAYER.HEAD, from ${first?.layer ?? '0'}.0 to ${last?.layer ?? '0'}.${(last?.heads ?? 1) - 1}.`,
  });
};
