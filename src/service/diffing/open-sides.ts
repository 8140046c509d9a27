import { UsageError } from '../../base/index.js';
import { canonicalName } from '../../engine/index.js';
import { isRecording, openWeights } from '../../formats/index.node.js';
import type { DiffInput, TokenView } from '../../protocol/index.js';
import { onEditedModel, type Opened } from '../edited-model.js';
import type { OperationContext } from '../operation.js';
import { isLive } from '../live/open-live.js';
import { promptOfIds, promptsOf, promptView } from '../prompts.js';
import { withRecording, type Recording } from '../recording/open-recorded.js';
import { likeFields, livePrompt, liveSide, withLive } from './live-side.js';
import { modelSide } from './model-side.js';
import { recordedSide, valuesSide } from './recorded-side.js';
import type { OpenSide } from './side.js';

/** Both sides, and the prompt that they ran. */
export interface Sides {
  readonly a: OpenSide;
  readonly b: OpenSide;
  readonly tokens: TokenView[];
  readonly target?: TokenView[];
  /** The other side's tokens of the same text, where they are others. */
  readonly otherTokens?: TokenView[];
}

type Kind = 'model' | 'recording' | 'values' | 'live';

export const kindOf = async (name: string): Promise<Kind> => {
  if (await isRecording(name)) return 'recording';
  if (isLive(name)) return 'live';
  return /\.safetensors$/i.test(name) ? 'values' : 'model';
};

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

/** The prompt of a recording, for a model that is compared with it. */
const recordedPrompt = ({ manifest, file }: Recording): Pick<DiffInput, 'ids' | 'targetIds'> => {
  const { tokens, target } = manifest.prompt;
  if (!tokens)
    throw invalid(`${file} has no prompt: it was redacted`, 'Give the prompt that was run, with --prompt or --ids.');
  return { ids: tokens.map((t) => t.id), ...(target ? { targetIds: target.slice(1).map((t) => t.id) } : {}) };
};

const hasPrompt = ({ prompt, ids, chat }: DiffInput): boolean => [prompt, ids, chat].some((x) => x !== undefined);

/** Opens the model of A with its prompt. */
const withA = <Result>(
  input: DiffInput,
  context: OperationContext,
  work: (opened: Opened) => Promise<Result>,
): Promise<Result> =>
  onEditedModel(input, context, async ({ model, edits }) => {
    const [prompt] = await promptsOf(model, input);
    if (!prompt) throw invalid('there is no prompt', 'Give one with --prompt "TEXT" or --ids 1,2,3.');
    return work({ model, edits, prompt });
  });

const sameIds = (a: readonly { id: number }[], b: readonly { id: number }[]): boolean =>
  a.length === b.length && a.every(({ id }, i) => b[i]?.id === id);

/** How the other model cuts the text, where that is another way. */
const cutOtherwise = async (
  { model }: Pick<Opened, 'model'>,
  input: DiffInput,
  tokens: readonly TokenView[],
): Promise<TokenView[] | undefined> => {
  if ((input.prompt === undefined && input.chat === undefined) || !model.tokenizer) return undefined;
  const [prompt] = await promptsOf(model, input);
  const other = prompt && promptView(prompt).tokens;
  return other && !sameIds(other, tokens) ? other : undefined;
};

/** Two models on one prompt: A's token ids are given to both. */
const withModels = (
  input: DiffInput,
  context: OperationContext,
  work: (sides: Sides) => Promise<void>,
): Promise<void> =>
  withA(input, context, async (a) => {
    const other = { ...input, model: input.other, edits: input.otherEdits };
    await onEditedModel(other, context, async ({ model, edits }) => {
      const view = promptView(a.prompt);
      const ids = (a.prompt.source ?? a.prompt).ids;
      const prompt = promptOfIds(model, ids, a.prompt.source ? a.prompt.ids.slice(1) : undefined);
      const otherTokens = await cutOtherwise({ model }, input, view.tokens);
      await work({
        a: await modelSide(input.model, a, context),
        b: await modelSide(input.other, { model, edits, prompt }, context),
        ...view,
        ...(otherTokens ? { otherTokens } : {}),
      });
    });
  });

/** A model, and the other side made once its prompt is known. */
const withModelAnd = (
  input: DiffInput,
  context: OperationContext,
  work: (opened: Opened, made: (b: OpenSide) => Promise<Sides>) => Promise<void>,
): Promise<void> =>
  withA(input, context, (opened) =>
    work(opened, async (b) => ({ a: await modelSide(input.model, opened, context), b, ...promptView(opened.prompt) })),
  );

const withValues = async (
  file: string,
  work: (values: Awaited<ReturnType<typeof openWeights>>) => Promise<void>,
): Promise<void> => {
  const values = await openWeights(file);
  try {
    await work(values);
  } finally {
    await values.close();
  }
};

const same = (name: string): string => name;

/** A recording or a file of values against the same: nothing runs. */
const withStored = async (names: readonly [string, string], work: (sides: Sides) => Promise<void>): Promise<void> => {
  const opened = async (name: string, next: (side: OpenSide, recording?: Recording) => Promise<void>): Promise<void> =>
    (await kindOf(name)) === 'recording'
      ? withRecording(name, (recording) => next(recordedSide(recording), recording))
      : withValues(name, (values) => next(valuesSide(name, values, same)));
  await opened(names[0], (a, recording) =>
    opened(names[1], (b) => {
      const { tokens = [], target } = recording?.manifest.prompt ?? {};
      return work({ a, b, tokens, ...(target ? { target } : {}) });
    }),
  );
};

/** The tokens of the sides, the other way round. */
const turnedTokens = ({ token, otherToken }: DiffInput): Pick<DiffInput, 'token' | 'otherToken'> => ({
  token: otherToken ?? token,
  otherToken: token,
});

/** A model on our engine, and a process that is given the same ids. */
const withModelAndLive = (
  input: DiffInput,
  context: OperationContext,
  work: (sides: Sides) => Promise<void>,
): Promise<void> =>
  withLive(input.other, input.otherToken ?? input.token, (target) =>
    withModelAnd(input, context, async ({ model, prompt }, sides) => {
      const { ids } = prompt.source ?? prompt;
      const b = await liveSide(input.other, target, { ids, ...(prompt.source ? { targetIds: prompt.ids } : {}) });
      await work(await sides({ ...b, config: likeFields(b.config ?? {}, model.program.config) }));
    }),
  );

/** Two processes: the first one's tokenizer cuts the text. */
const withTwoLive = (input: DiffInput, work: (sides: Sides) => Promise<void>): Promise<void> =>
  withLive(input.model, input.token, (first) =>
    withLive(input.other, input.otherToken ?? input.token, async (second) => {
      const given = await livePrompt(first, input);
      const { texts } = await first.ranks.one.connection.request('decode', { ids: given.ids });
      await work({
        a: await liveSide(input.model, first, given),
        b: await liveSide(input.other, second, given),
        tokens: given.ids.map((id, i) => ({ id, text: texts[i] ?? '' })),
      });
    }),
  );

/**
 * Opens what is compared and closes it again. Where only the other side is a model, it comes first: its values are then
 * the reference.
 * @throws UsageError OPTION_INVALID, PROMPT_EMPTY and what opening throws
 */
export const withSides = async (
  given: DiffInput,
  context: OperationContext,
  work: (sides: Sides) => Promise<void>,
): Promise<void> => {
  const kinds = [await kindOf(given.model), await kindOf(given.other)] as const;
  const isTurned = kinds[0] !== 'model' && kinds[1] === 'model';
  const input = isTurned
    ? {
        ...given,
        model: given.other,
        other: given.model,
        edits: given.otherEdits,
        otherEdits: given.edits,
        ...turnedTokens(given),
      }
    : given;
  const [a, b] = isTurned ? ([kinds[1], kinds[0]] as const) : kinds;
  if (a === 'live' && b === 'live') return withTwoLive(input, work);
  if (a !== 'model' && (a === 'live' || b === 'live'))
    throw invalid(
      'a process is compared with a model or another process',
      'Record the process (`cutaway attach`, then `record FILE`), and compare the two recordings.',
    );
  if (a !== 'model') return withStored([input.model, input.other], work);
  if (b === 'model') return withModels(input, context, work);
  if (input.otherEdits.length > 0)
    throw invalid(`${input.other} is no model: it cannot be edited`, 'Leave --other-edit out.');
  if (b === 'live') return withModelAndLive(input, context, work);
  if (b === 'values')
    return withValues(input.other, (values) =>
      withModelAnd(input, context, async ({ model }, sides) =>
        work(await sides(valuesSide(input.other, values, (name) => canonicalName(model.program, name)))),
      ),
    );
  return withRecording(input.other, (recording) => {
    const prompted = hasPrompt(input) ? input : { ...input, ...recordedPrompt(recording) };
    return withModelAnd(prompted, context, async (_, sides) => work(await sides(recordedSide(recording))));
  });
};
