import { spectrum } from '../../analyses/spectrum/index.js';
import { nearest, UsageError } from '../../base/index.js';
import { prepareExperiment } from '../../engine/index.js';
import type { WeightInput } from '../../protocol/index.js';
import { statistics, type Tensor } from '../../tensor/index.js';
import { checkpoints } from '../cancel.js';
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

/** By program: an opened model has its own. */
export type WeightCache = WeakMap<object, { readonly key: string; readonly tensor: Tensor }>;

/** The weight as the edits leave it, read once for looks that follow each other. */
const recentTensor = async (model: OpenModel, input: WeightInput, cache: WeightCache | undefined): Promise<Tensor> => {
  const key = JSON.stringify([input.name, input.edits]);
  const known = cache?.get(model.program);
  if (known?.key === key) return known.tensor;
  const tensor = await tensorOf(model, input);
  cache?.set(model.program, { key, tensor });
  return tensor;
};

/** The weight as the edits leave it. */
const tensorOf = async (model: OpenModel, { name, edits }: WeightInput): Promise<Tensor> => {
  const changes = (await editsOf({ edits })).filter((e) => e.edit === 'weight' || e.edit === 'replace weight');
  const nothing = { ids: [], tokens: [] };
  const { variant } = await prepareExperiment(contextFor(model, nothing, 0), changes);
  return variant.weights.get(name) ?? model.weights.read(name);
};

/** @throws UsageError OPTION_INVALID where it is no matrix; EngineError CANCELLED */
const spectrumOf = async (
  { tensor, axes }: { readonly tensor: Tensor; readonly axes: readonly string[] },
  name: string,
  context: OperationContext,
): Promise<Viewed['result']> => {
  const long = tensor.shape.filter((n) => n > 1).length;
  if (tensor.shape.length < 2 || long === 0)
    throw new UsageError(`${name} is no matrix, and has no singular values`, {
      code: 'OPTION_INVALID',
      hint: 'Choose a weight with two axes.',
    });
  const { nan, inf } = statistics(tensor);
  if (nan + inf > 0)
    throw new UsageError(`${name} has numbers that are NaN or infinite, and so no singular values`, {
      code: 'OPTION_INVALID',
      hint: 'Look at its picture for where they are.',
    });
  const { values, count, norm } = await spectrum(tensor, checkpoints(context));
  return {
    revision: 0,
    axes: [...axes],
    shape: [...tensor.shape],
    view: { kind: 'spectrum', values: [...values], count, norm },
  };
};

/** Two looks are not kept beside each other: of the other weight each look reads it anew. */
const difference = async (
  { minus, ...own }: WeightInput,
  context: OperationContext,
): Promise<{ readonly held: HeldValue; readonly other: HeldValue | undefined }> => {
  const heldOf = (given: WeightInput): Promise<HeldValue> =>
    withModel(given, { context }, async (model) => {
      const { axes } = paramOf(model, given.name).type;
      return { tensor: await tensorOf(model, given), axes, revision: 0, tokens: [] };
    });
  const { model = own.model, name = own.name, edits = [] } = minus ?? {};
  return { other: minus && (await heldOf({ ...own, model, name, edits })), held: await heldOf(own) };
};

/** A weight less another. @throws as `viewWeight`; UsageError OPTION_INVALID where their shapes differ */
const viewDifference = async (input: WeightInput, context: OperationContext): Promise<Viewed> => {
  const { as, dtype, maxBytes, name } = input;
  if (as.kind === 'spectrum')
    throw new UsageError('a difference has no spectrum here', {
      code: 'OPTION_INVALID',
      hint: 'Look at the spectrum of each of the two weights.',
    });
  const { held, other } = await difference(input, context);
  return viewOf(held, { at: { run: '', step: 0, site: name, where: input.where }, as, dtype, maxBytes }, other);
};

/** Looks at a weight, or at its difference to another. @throws UsageError WEIGHT_UNKNOWN, SELECTOR_INVALID, MEMORY_LIMIT, OPTION_INVALID */
export const viewWeight = (input: WeightInput, context: OperationContext, cache?: WeightCache): Promise<Viewed> => {
  if (input.minus) return viewDifference(input, context);
  return withModel(input, { context }, async (model) => {
    const { axes } = paramOf(model, input.name).type;
    const held = { tensor: await recentTensor(model, input, cache), axes, revision: 0, tokens: [] };
    const { as, dtype, maxBytes, name } = input;
    if (as.kind === 'spectrum') return { result: await spectrumOf(held, name, context) };
    return viewOf(held, { at: { run: '', step: 0, site: name, where: input.where }, as, dtype, maxBytes });
  });
};
