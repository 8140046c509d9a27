import type { Edit } from '../language/index.js';
import type { ModelInput } from '../protocol/index.js';
import { configOf } from './experiment.js';
import { openModel, type OpenModel } from './open-model.js';
import type { OperationContext } from './operation.js';
import { stampOf } from './stamp.node.js';

/** What tells an open model from others: its files, how it runs, and the edits of its config. */
export const modelKey = (input: ModelInput, edits: readonly Edit[] = []): string => {
  const { model, device, engine, binding, threads } = input;
  const config = edits.filter(({ edit }) => edit === 'config' || edit === 'replace activation');
  return JSON.stringify({ model, device, engine, binding, threads, config });
};

/**
 * Does work on the model of a request, its config edited: on one that is open already, where the context keeps models;
 * else it is opened for the work and closed behind it.
 */
export const withModel = async <Result>(
  input: ModelInput,
  { context, edits = [] }: { readonly context: OperationContext; readonly edits?: readonly Edit[] },
  work: (model: OpenModel) => Promise<Result>,
): Promise<Result> => {
  const open = () => openModel(input.model, { ...input, configure: (config) => configOf(edits, config) });
  const { models } = context;
  const model = await (models ? models.lease(modelKey(input, edits), await stampOf(input.model), open) : open());
  try {
    return await work(model);
  } finally {
    await model.dispose();
  }
};
