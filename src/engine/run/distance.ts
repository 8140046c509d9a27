import type { InputRule } from '../../graph/index.js';

const round = Math.fround;

/**
 * The class of a distance (key minus query): near ones have a class each, far ones share, logarithmically, up to
 * `maxDistance`. Raffel 2020 §2.1; computed in float32, as transformers does, so that no bound moves.
 */
export const distanceBucket = (
  distance: number,
  { buckets, maxDistance, bidirectional }: Omit<InputRule & { rule: 'distance' }, 'rule'>,
): number => {
  const half = bidirectional ? Math.floor(buckets / 2) : buckets;
  const start = bidirectional && distance > 0 ? half : 0;
  const far = bidirectional ? Math.abs(distance) : Math.max(-distance, 0);
  const exact = Math.floor(half / 2);
  if (far < exact) return start + far;
  const ratio = round(
    round(round(Math.log(round(far / exact))) / round(Math.log(maxDistance / exact))) * (half - exact),
  );
  return start + Math.min(exact + Math.trunc(ratio), half - 1);
};
