import { UsageError } from '../../base/index.js';
import type { Edit, SamplingKind } from '../../language/index.js';
import { debuggedTokens, type DebugInput, type ProgressPart, type RecordedStage } from '../../protocol/index.js';
import { cancelled } from '../cancel.js';
import { configOf, editsOf, promptEdit } from '../experiment.js';
import { openModel, type OpenModel } from '../open-model.js';
import type { ModelSource } from '../operation.js';
import { promptsOf } from '../prompts.js';
import { replayed } from '../recording/replay.js';
import { stampOf } from '../stamp.node.js';
import { modelKey } from '../with-model.js';
import { Debuggee } from './debuggee.js';
import type { Stage } from './edit-history.js';
import { makeBreath, runProgress, type Breath } from './telling.js';

/** What a debugged run has around it. */
export interface DebugContext {
  /** Where models come from; without it the model is opened for this run alone. */
  readonly models?: ModelSource;
  /** Cancel: checked between layers, where a recorded run is made again. */
  readonly signal?: AbortSignal;
  /** Looks whether another thread asked to cancel; `signal` is then aborted when it returns. */
  readonly poll?: () => void;
  readonly onProgress?: (part: ProgressPart) => void;
}

/** A model that is open under the debugger, from a request; `again` begins a new run with other changes. */
export interface OpenDebuggee {
  readonly debuggee: Debuggee;
  readonly model: OpenModel;
  /** The request, with what it takes from a recording. */
  readonly input: DebugInput;
  /** What a user should know of how it was opened. */
  readonly notes: readonly string[];
  readonly breath: Breath;
  again(edits: Debuggee['edits']): Promise<Debuggee>;
}

const sampling = {
  temperature: 'temperature',
  topK: 'top-k',
  topP: 'top-p',
  minP: 'min-p',
  repetitionPenalty: 'repetition-penalty',
  seed: 'seed',
} as const satisfies Partial<Record<keyof DebugInput, SamplingKind>>;

/** Sampling as changes, which come first and can be changed on. */
const samplingEdits = (input: DebugInput): { readonly text: string }[] =>
  (Object.keys(sampling) as (keyof typeof sampling)[]).flatMap((field) => {
    const value = input[field];
    return value === undefined ? [] : [{ text: `${sampling[field]} ${value}` }];
  });

/** What was in force on the way of a recorded run, with what is asked for besides. */
const stagesOf = async (recorded: readonly RecordedStage[], given: DebugInput): Promise<readonly Stage[]> => {
  const more = await editsOf({ edits: [...samplingEdits(given), ...given.edits] });
  return recorded.map(({ step, at, experiment }) => ({ place: { step, at }, edits: [...experiment.edits, ...more] }));
};

const open = async (input: DebugInput, edits: readonly Edit[], models: ModelSource | undefined): Promise<OpenModel> => {
  const options = { ...input, binding: input.binding ?? ('apart' as const) };
  const start = () => openModel(input.model, { ...options, configure: (config) => configOf(edits, config) });
  return models ? models.lease(modelKey(options, edits), await stampOf(input.model), start) : start();
};

/** @throws EngineError CANCELLED */
const checkCancel = ({ signal, poll }: DebugContext): void => {
  poll?.();
  if (signal?.aborted) throw cancelled();
};

/**
 * Opens a model for the debugger. Its linears are packed one by one, so that cutting and changing a layer costs a
 * millisecond.
 * @throws as `openModel` and `promptsOf`; UsageError OPTION_INVALID for several prompts, or a model of labels; EngineError CANCELLED
 */
export const openDebuggee = async (given: DebugInput, context: DebugContext = {}): Promise<OpenDebuggee> => {
  const { input, check, stages } = await replayed(given, { staged: true });
  const edits = await editsOf({ edits: [...samplingEdits(input), ...input.edits] });
  const model = await open(input, edits, context.models);
  const breath = makeBreath();
  const notes: string[] = [];
  try {
    const [prompt, ...more] = await promptsOf(model, input, promptEdit(edits));
    if (!prompt || more.length > 0)
      throw new UsageError('the debugger runs one prompt', { code: 'OPTION_INVALID', hint: 'Give one of them.' });
    if (model.program.facts.output !== 'next')
      throw new UsageError('the debugger steps through models that say what comes next', {
        code: 'OPTION_INVALID',
        hint: 'For an encoder, `inspect` reads every value and `run` shows words and labels.',
      });
    await check({ model, edits, prompt }, { signal: new AbortController().signal, note: (text) => notes.push(text) });
    const { maxNewTokens = debuggedTokens, ignoreEos } = input;
    const again = (list: Debuggee['edits']) =>
      Debuggee.start(model, { prompt, edits: list, maxNewTokens, ignoreEos }, breath.turn);
    const debuggee = await again(edits);
    checkCancel(context);
    const progress = runProgress(
      () => debuggee.variant,
      (part) => context.onProgress?.(part),
    );
    breath.between = (name) => {
      checkCancel(context);
      progress(name);
    };
    const isWhole = stages.length === 0 || (await debuggee.replay(await stagesOf(stages, given)));
    if (!isWhole) notes.push('not all changes of the recording could be made where they were made');
    breath.between = () => undefined;
    return { model, input, debuggee, again, notes, breath };
  } catch (error) {
    await model.dispose();
    throw error;
  }
};
