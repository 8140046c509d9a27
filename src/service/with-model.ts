import { UsageError } from '../base/index.js';
import type { Edit } from '../language/index.js';
import type { ModelInput } from '../protocol/index.js';
import { configOf } from './experiment.js';
import { openModel, type OpenModel } from './open-model.js';
import { isLive, openLive } from './live/open-live.js';
import type { OperationContext } from './operation.js';
import { stampOf } from './stamp.node.js';

/** What tells an open model from others: its files, how it runs, and the edits of its config. */
export const modelKey = (input: ModelInput, edits: readonly Edit[] = []): string => {
  const { model, device, engine, binding, threads } = input;
  const config = edits.filter(({ edit }) => edit === 'config' || edit === 'replace activation');
  return JSON.stringify({ model, device, engine, binding, threads, config });
};

/** What an operation says of the model that it wants. */
export interface LiveInput {
  /** It knows live processes: `HOST:PORT` may stand for a model. */
  readonly live?: boolean;
  readonly token?: string | undefined;
  /** Where the model is opened for it alone: see `OpenOptions`. */
  readonly manyForms?: boolean;
}

const openProcess = (name: string, { live, token }: LiveInput): Promise<OpenModel> => {
  if (live === true) return openLive(name, token);
  throw new UsageError(`${name} is a live process, and this needs the model's own files`, {
    code: 'OPTION_INVALID',
    hint: '`lens`, `attribute`, `patch` and `diff` take a live process; `cutaway attach` debugs it.',
  });
};

/**
 * Does work on the model of a request, its config edited: on one that is open already, where the context keeps models;
 * else it is opened for the work and closed behind it.
 */
export const withModel = async <Result>(
  input: ModelInput & LiveInput,
  { context, edits = [] }: { readonly context: OperationContext; readonly edits?: readonly Edit[] },
  work: (model: OpenModel) => Promise<Result>,
): Promise<Result> => {
  const { models } = context;
  const manyForms = !models && input.manyForms;
  const open = () => openModel(input.model, { ...input, manyForms, configure: (config) => configOf(edits, config) });
  const model = await (isLive(input.model)
    ? openProcess(input.model, input)
    : models
      ? models.lease(modelKey(input, edits), await stampOf(input.model), open)
      : open());
  try {
    return await work(model);
  } finally {
    await model.dispose();
  }
};
