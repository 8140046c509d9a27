import { bug, UsageError } from '../base/index.js';
import { forward, prepareExperiment, type Prompt } from '../engine/index.js';
import type { Edit } from '../language/index.js';
import type { MaskView, RunInput, RunResult, ScoredToken } from '../protocol/index.js';
import type { Tensor } from '../tensor/index.js';
import { checkpoints } from './cancel.js';
import { contextFor } from './experiment.js';
import { maskOf } from './masks.js';
import { nanNote } from './nan.js';
import type { OpenModel } from './open-model.js';
import type { OperationContext } from './operation.js';
import { prepareSegments, secondsSince } from './prepare.js';
import { promptView, textOf } from './prompts.js';
import { scoredTokens } from './scored.js';

/** A run of a model that generates nothing: of words at masks, or of labels. */
export interface Scoring {
  readonly input: RunInput;
  readonly edits: readonly Edit[];
  readonly prompt: Prompt;
}

const samplingEdits = ['temperature', 'top-k', 'top-p', 'min-p', 'repetition-penalty', 'seed', 'force token'];

/** What a request asks of generation: an option, or an edit. */
const generationAsked = (input: RunInput, edits: readonly Edit[]): string | undefined => {
  const options = {
    '--max-new-tokens': (input.maxNewTokens ?? 0) > 0,
    '--temperature': input.temperature !== undefined,
    '--top-k': input.topK !== undefined,
    '--top-p': input.topP !== undefined,
    '--min-p': input.minP !== undefined,
    '--repetition-penalty': input.repetitionPenalty !== undefined,
    '--seed': input.seed !== undefined,
    '--ignore-eos': input.ignoreEos,
    '--stages': input.stages,
  };
  const option = Object.entries(options).find(([, given]) => given)?.[0];
  return option ?? edits.find((e) => samplingEdits.includes(e.edit))?.edit;
};

const purposes = { masks: 'finds the words behind masks', labels: 'gives a text labels' };

/** @throws UsageError OPTION_INVALID where tokens are to be made */
const refuseGeneration = ({ program }: OpenModel, { input, edits }: Scoring): void => {
  const asked = generationAsked(input, edits);
  if (asked === undefined || program.facts.output === 'next') return;
  throw new UsageError(`${asked}: this model makes no tokens, it ${purposes[program.facts.output]}`, {
    code: 'OPTION_INVALID',
    hint: 'Leave it out; to have a text go on, take a model that says what comes next, such as gpt2 or llama.',
  });
};

/** Masks that are to be found, or why there are none. */
const masksIn = (model: OpenModel, { ids }: Prompt): { positions: readonly number[]; note?: string } => {
  if (!model.tokenizer)
    return { positions: [], note: 'without a tokenizer it is not known which id is the mask: no word is looked for' };
  const mask = maskOf(model.tokenizer);
  if (!mask) return { positions: [], note: 'the tokenizer has no mask: no word is looked for' };
  const positions = ids.flatMap((id, i) => (id === mask.id ? [i] : []));
  if (positions.length > 0) return { positions };
  return { positions, note: `the prompt has no mask: write ${mask.text} where a word is to be found` };
};

/** The position whose scores are the answer: the first mask's, or the last. */
export const answerPosition = (model: OpenModel, prompt: Prompt): number => {
  const last = prompt.ids.length - 1;
  return model.program.facts.output === 'masks' ? (masksIn(model, prompt).positions[0] ?? last) : last;
};

const rowAt = ({ data, shape }: Tensor<'float32'>, position: number): Float32Array => {
  const width = shape.at(-1) ?? 0;
  return data.subarray(position * width, (position + 1) * width);
};

/** Why the answer of a model that finds words at masks is at no mask, if so. */
export const answerNotes = (model: OpenModel, prompt: Prompt): readonly string[] => {
  if (model.program.facts.output !== 'masks') return [];
  const { note } = masksIn(model, prompt);
  return note === undefined ? [] : [`${note}; the scores of the last position are taken`];
};

/** The scores that are the answer, of a pass that scored all rows, the last, or labels. */
export const answerScores = (model: OpenModel, prompt: Prompt, logits: Tensor<'float32'> | undefined): Float32Array => {
  if (!logits) throw bug('the model gave no scores');
  const rows = logits.shape.length === 3 ? (logits.shape[1] ?? 1) : 1;
  return rowAt(logits, rows === 1 ? 0 : answerPosition(model, prompt));
};

const isRegression = ({ program }: OpenModel): boolean => {
  const problem = program.config['problem_type'] ?? undefined;
  return problem === 'regression' || (problem === undefined && program.facts.labels?.length === 1);
};

const judgesEach = ({ program }: OpenModel): boolean => program.config['problem_type'] === 'multi_label_classification';

/** By itself, not against others: where several labels may hold at once. */
const alone = (label: ScoredToken): ScoredToken => ({
  ...label,
  probability: label.logit === null ? 0 : 1 / (1 + Math.exp(-label.logit)),
});

const labelNotes = (model: OpenModel): readonly string[] => {
  if (isRegression(model))
    return ['the model gives numbers (a regression): read the logits, the probabilities mean nothing'];
  if (judgesEach(model))
    return ['several labels may hold at once: each probability is its own, and they need not add up to 1'];
  return [];
};

/** The scores of a model that generates nothing, as results tell them. */
export const scoreViews = (
  model: OpenModel,
  { input, prompt }: { readonly input: Pick<RunInput, 'top'>; readonly prompt: Prompt },
  logits: Tensor<'float32'>,
): { readonly views: Pick<RunResult, 'masks' | 'labels'>; readonly notes: readonly string[] } => {
  const { output, labels = [] } = model.program.facts;
  if (output === 'labels') {
    const all = scoredTokens(rowAt(logits, 0), input.top, (id) => labels[id] ?? `[${id}]`);
    return { views: { labels: judgesEach(model) ? all.map(alone) : all }, notes: labelNotes(model) };
  }
  const { positions, note } = masksIn(model, prompt);
  const masks = positions.map((position): MaskView => ({
    position,
    next: scoredTokens(rowAt(logits, position), input.top, (id) => textOf(model, id)),
  }));
  return { views: { masks }, notes: note === undefined ? [] : [note] };
};

/**
 * Runs a model that generates nothing on a prompt: the scoredTokens words at each mask, or the labels.
 * @throws UsageError OPTION_INVALID where tokens are to be made
 */
export const score = async (model: OpenModel, plan: Scoring, context: OperationContext): Promise<RunResult> => {
  refuseGeneration(model, plan);
  const { edits, prompt } = plan;
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const prepare = await prepareSegments(model, { variant }, context);
  const from = performance.now();
  const onSegment = checkpoints(context);
  const { logits } = await forward(model, { variant, ids: [prompt.ids], capture: new Set(), onSegment });
  if (!logits) throw bug('the model gave no scores');
  const prefill = secondsSince(from);
  const { views, notes: own } = scoreViews(model, plan, logits);
  const nan = await nanNote(model, logits.data);
  const all = [...notes, ...own, ...(nan === undefined ? [] : [nan])];
  for (const text of all) context.note(text);
  return {
    model: await model.summary(),
    ...promptView(prompt),
    ...{ next: [], ...views, generated: { ids: [], text: '' }, stop: 'none' },
    seconds: { load: model.loadSeconds + prepare, prefill, decode: 0 },
    ...(model.notes.length + all.length > 0 ? { notes: [...model.notes, ...all] } : {}),
  };
};
