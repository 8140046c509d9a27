import { UsageError } from '../../../base/index.js';
import { concat, float32 } from '../../../tensor/index.js';
import type { HeldValue } from '../held-values.js';
import type { LiveModel } from './live-model.js';
import type { LiveRanks } from './live-ranks.js';

/** The most that is read of one rank: a gathered weight is held whole. */
const mostNumbers = 4 * 2 ** 20;

/**
 * A weight that is cut over ranks, put together here: each rank is asked for its own part, and none talks to another.
 * @throws UsageError WEIGHT_UNKNOWN; COMMAND_INVALID where it is not cut, or not all ranks stand
 */
export const gatheredWeight = async (name: string, model: LiveModel, { all }: LiveRanks): Promise<HeldValue> => {
  const { axes, place = '' } = model.weight(name);
  const dim = model.weights.get(name)?.shard?.dim;
  if (dim === undefined)
    throw new UsageError(`${name} is not known to be cut over processes`, {
      code: 'COMMAND_INVALID',
      hint: 'DTensor says how it is cut; other weights say it by an attribute partition_dim.',
    });
  const parts = await Promise.all(
    all.map(async ({ connection }) => {
      const { result, payload } = await connection.ask('read', { ref: { param: name }, count: mostNumbers });
      return float32(result.meta.shape, new Float32Array(payload.buffer));
    }),
  );
  return { tensor: concat(parts, dim), axes, offset: 0, place };
};
