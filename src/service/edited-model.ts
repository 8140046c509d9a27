import type { EditInput, ModelInput, PromptInput } from '../protocol/index.js';
import { cancelled } from './cancel.js';
import { editsOf, promptEdit, refuseGradientEdits } from './experiment.js';
import { checkDecodedFits } from './decoded-memory.js';
import { freeMemoryBytes } from './machine.node.js';
import type { OperationContext } from './operation.js';
import { promptsOf } from './prompts.js';
import type { EditedModel, Opened } from './opened.js';
import { withModel, type LiveInput } from './with-model.js';

export type { EditedModel, Opened } from './opened.js';

type Request = ModelInput & EditInput & PromptInput & LiveInput & { readonly gradOf?: string | undefined };

/**
 * Opens the model of a request with the edits of its config, does the work on it, and closes it again. What a user should
 * know of it is told, and one that would not fit into memory is refused.
 * @throws UsageError EDIT_*, MEMORY_LIMIT
 */
export const onEditedModel = async <Result>(
  input: ModelInput & EditInput & LiveInput & { readonly gradOf?: string | undefined },
  context: OperationContext,
  work: (opened: EditedModel) => Promise<Result>,
): Promise<Result> => {
  const edits = await editsOf(input);
  refuseGradientEdits(edits, input);
  return withModel(input, { context, edits }, (model) => {
    for (const text of model.notes) context.note(text);
    checkDecodedFits(model, freeMemoryBytes());
    return work({ model, edits });
  });
};

/** One prompt is done before weights that are packed for it would pay; a file of them is worth packing for. */
export const isSinglePrompt = ({ prompts }: PromptInput): boolean => prompts === undefined;

/**
 * Opens the model of a request with the edits of its config, does the work for each prompt, and closes it again.
 * A cancel keeps the results that are there.
 * @returns one result, or, for a file of prompts, an array
 */
export const onEachPrompt = async <Result>(
  input: Request,
  context: OperationContext,
  work: (opened: Opened) => Promise<Result>,
): Promise<Result | Result[]> => {
  return onEditedModel(input, context, async ({ model, edits }) => {
    const results: Result[] = [];
    try {
      for (const prompt of await promptsOf(model, input, promptEdit(edits))) {
        context.poll?.();
        if (context.signal.aborted) throw cancelled();
        results.push(await work({ model, edits, prompt }));
      }
    } catch (error) {
      if (!context.signal.aborted || results.length === 0) throw error;
    }
    return input.prompts === undefined ? (results[0] as Result) : results;
  });
};
