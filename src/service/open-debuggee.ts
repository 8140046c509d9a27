import { UsageError } from '../base/index.js';
import type { DebugInput } from '../protocol/index.js';
import { Debuggee } from './debuggee.js';
import { configOf, editsOf, promptEdit, refuseGradientEdits } from './experiment.js';
import { openModel, type OpenModel } from './open-model.js';
import { promptsOf } from './prompts.js';

/** A model that is open under the debugger, from a request; `again` begins a new run with other changes. */
export interface OpenDebuggee {
  readonly debuggee: Debuggee;
  readonly model: OpenModel;
  again(edits: Debuggee['edits']): Promise<Debuggee>;
}

/**
 * Opens a model for the debugger. Its linears are packed one by one, so that cutting and changing a layer costs a
 * millisecond.
 * @throws as `openModel` and `promptsOf`; UsageError OPTION_INVALID for several prompts, or a model of labels
 */
export const openDebuggee = async (input: DebugInput): Promise<OpenDebuggee> => {
  const edits = await editsOf(input);
  refuseGradientEdits(edits);
  const configure = (config: Parameters<typeof configOf>[1]) => configOf(edits, config);
  const model = await openModel(input.model, { ...input, binding: input.binding ?? 'apart', configure });
  try {
    const [prompt, ...more] = await promptsOf(model, input, promptEdit(edits));
    if (!prompt || more.length > 0)
      throw new UsageError('the debugger runs one prompt', { code: 'OPTION_INVALID', hint: 'Give one of them.' });
    if (model.program.facts.output !== 'next')
      throw new UsageError('the debugger steps through models that say what comes next', {
        code: 'OPTION_INVALID',
        hint: 'For an encoder, `inspect` reads every value and `run` shows words and labels.',
      });
    const { maxNewTokens, ignoreEos } = input;
    const again = (list: Debuggee['edits']) => Debuggee.start(model, { prompt, edits: list, maxNewTokens, ignoreEos });
    return { model, debuggee: await again(edits), again };
  } catch (error) {
    await model.dispose();
    throw error;
  }
};
