import type { SiteView } from '../protocol/index.js';
import { statistics } from '../tensor/index.js';
import type { SiteValue } from './chosen-sites.js';
import { finite } from './finite.js';

/** A value as a result shows it. */
export const viewOf = ({ name, axes, tensor }: Pick<SiteValue, 'name' | 'axes' | 'tensor'>): SiteView => {
  const { min, max, mean, std, nan, inf } = statistics(tensor);
  return {
    name,
    axes: [...axes],
    shape: [...tensor.shape],
    dtype: 'float32',
    ...{ min: finite(min), max: finite(max), mean: finite(mean), std: finite(std) },
    nan,
    inf,
  };
};
