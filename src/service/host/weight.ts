import { nearest, UsageError } from '../../base/index.js';
import { prepareExperiment } from '../../engine/index.js';
import type { WeightInput } from '../../protocol/index.js';
import type { Tensor } from '../../tensor/index.js';
import { paramsOf } from '../check-weights.js';
import { contextFor, editsOf } from '../experiment.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { withModel } from '../with-model.js';
import type { HeldValue } from './held.js';
import { viewOf, type Viewed } from './view.js';

const paramOf = (model: OpenModel, name: string) => {
  const params = paramsOf(model.program);
  const found = params.find((p) => p.name === name);
  if (found) return found;
  const near = nearest(
    name,
    params.map((p) => p.name),
  );
  throw new UsageError(`no weight named ${name}`, {
    code: 'WEIGHT_UNKNOWN',
    hint: `Did you mean ${near.join(', ')}? \`cutaway list MODEL --weights\` shows all.`,
    details: { name, nearest: near },
  });
};

/** The weight as the edits leave it. */
const tensorOf = async (model: OpenModel, { name, edits }: WeightInput): Promise<Tensor> => {
  const changes = (await editsOf({ edits })).filter((e) => e.edit === 'weight' || e.edit === 'replace weight');
  const nothing = { ids: [], tokens: [] };
  const { variant } = await prepareExperiment(contextFor(model, nothing, 0), changes);
  return variant.weights.get(name) ?? model.weights.read(name);
};

/** Looks at a weight, or at its difference to another. @throws UsageError WEIGHT_UNKNOWN, SELECTOR_INVALID, MEMORY_LIMIT, OPTION_INVALID */
export const viewWeight = async (input: WeightInput, context: OperationContext): Promise<Viewed> => {
  const { minus, ...own } = input;
  const heldOf = (given: WeightInput): Promise<HeldValue> =>
    withModel(given, { context }, async (model) => {
      const { axes } = paramOf(model, given.name).type;
      return { tensor: await tensorOf(model, given), axes, revision: 0, tokens: [] };
    });
  const { model = input.model, name = input.name, edits = [] } = minus ?? {};
  const other = minus && (await heldOf({ ...own, model, name, edits }));
  const at = { run: '', step: 0, site: input.name, where: input.where };
  return viewOf(await heldOf(own), { at, as: input.as, dtype: input.dtype, maxBytes: input.maxBytes }, other);
};
