import { hotFlip, inputReduction, type Judged, type TokenRows } from '../../analyses/attack/index.js';
import { UsageError } from '../../base/index.js';
import { prepareExperiment, type Prompt } from '../../engine/index.js';
import type { AttackInput, AttackResult, ScoredToken, TokenView, WordInput } from '../../protocol/index.js';
import type { TextModel } from '../attribution/text-model.js';
import { labelOf } from '../labels.js';
import { checkpoints } from '../cancel.js';
import type { Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import { maskOf } from '../masks.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { promptView, textOf } from '../prompts.js';
import { answerNotes, answerPosition } from '../scoring.js';
import { attacked, probabilityOf, TextVictim, withText } from './victim.js';
import { finite } from '../finite.js';
import { wordId } from '../words.js';

/** What AllenNLP never swaps. */
const punctuation = ['@@NULL@@', '.', ',', ';', '!', '?', '[MASK]', '[SEP]', '[CLS]'];

/** The rows that embed the ids of the attacked text, as the file has them. */
const embeddingRows = async (model: OpenModel, vocab: number): Promise<TokenRows> => {
  const { shape, data } = await model.weights.read(model.program.facts.embedding);
  const [rows = 0, width = 0] = shape;
  return { rows: Math.min(rows, vocab), width, data };
};

/** Tokens that stay: special ones (or none of them but the mask that asks), and those whose text is told. */
const staying = (model: OpenModel, keep: readonly string[], special = true): ((id: number) => boolean) => {
  const { tokenizer } = model;
  const mask = tokenizer && maskOf(tokenizer)?.id;
  return (id) =>
    id === mask || (special && tokenizer?.specials.has(id) === true) || keep.includes(textOf(model, id).trim());
};

interface Setting {
  readonly opened: Opened;
  readonly input: AttackInput;
  readonly victim: TextVictim;
  readonly context: OperationContext;
}

const predictionOf = (model: OpenModel, { label, scores }: Pick<Judged, 'label' | 'scores'>): ScoredToken => {
  const { labels } = model.program.facts;
  const text = labels ? (labels[label] ?? `[${label}]`) : textOf(model, label);
  return { id: label, text, logit: finite(scores[label] ?? NaN), probability: probabilityOf(scores, label) };
};

const judgedView = (model: OpenModel, judged: Judged): AttackResult['before'] => ({
  prediction: predictionOf(model, judged),
  loss: finite(judged.loss),
});

const viewOf = (model: OpenModel, id: number): TokenView => ({ id, text: textOf(model, id) });

type Outcome = Pick<AttackResult, 'final' | 'kept' | 'flips' | 'removed' | 'before' | 'after' | 'succeeded'>;

const wantedId = async (model: OpenModel, toward: WordInput): Promise<number> =>
  model.program.facts.output === 'labels' ? labelOf(model, toward) : wordId(model, toward);

/** @throws UsageError METHOD_UNFIT where the embedding is not a row of the table */
const checkWidth = (model: OpenModel, { width }: TokenRows, gradientWidth: number): void => {
  if (width === gradientWidth) return;
  throw new UsageError(
    `the table has rows of ${width} numbers, and the stream has ${gradientWidth}: ${model.program.family} passes them through a matrix`,
    { code: 'METHOD_UNFIT', hint: 'Take input-reduction, which needs no rows.' },
  );
};

const flip = async ({ opened, input, victim, context }: Setting): Promise<Outcome> => {
  const { model, prompt } = opened;
  const original = attacked(prompt).ids;
  const embeddings = await embeddingRows(model, model.program.facts.encoder?.vocab ?? model.program.facts.vocab);
  checkWidth(model, embeddings, (await victim.judge([original]))[0]?.gradient.width ?? 0);
  const stays = staying(model, input.keep ?? punctuation);
  const special = staying(model, []);
  const total = Math.min(input.maxFlips ?? Infinity, original.length);
  const found = await hotFlip(victim, original, {
    embeddings,
    candidate: (id) => !special(id) && (input.anyToken || /^[\p{L}\p{N}]+$/u.test(textOf(model, id).trim())),
    ignored: stays,
    target: input.toward === undefined ? undefined : await wantedId(model, input.toward),
    maxFlips: input.maxFlips,
    onFlip: (done) => context.progress?.({ done, total, what: 'tokens swapped' }),
  });
  return {
    final: found.final.map((id) => viewOf(model, id)),
    kept: original.map((_, i) => i),
    flips: found.flips.map(({ position, from, to, label, scores }) => ({
      ...{ position, from: viewOf(model, from), to: viewOf(model, to) },
      prediction: predictionOf(model, { label, scores }),
    })),
    removed: [],
    before: judgedView(model, found.before),
    after: judgedView(model, found.after),
    succeeded: found.succeeded,
  };
};

const reduce = async ({ opened, input, victim, context }: Setting): Promise<Outcome> => {
  const { model, prompt } = opened;
  const original = attacked(prompt).ids;
  const total = original.length;
  const found = await inputReduction(victim, original, {
    beam: input.beam,
    ignored: staying(model, input.keep ?? [], !input.takeSpecial),
    onRound: (length) => context.progress?.({ done: total - length, total, what: 'tokens taken away' }),
  });
  return {
    final: found.final.map((id) => viewOf(model, id)),
    kept: [...found.kept],
    flips: [],
    removed: found.removed.map(({ position, after }) => ({
      ...{ position, token: viewOf(model, original[position] ?? 0) },
      prediction: predictionOf(model, after),
    })),
    before: judgedView(model, found.before),
    after: judgedView(model, found.after),
    succeeded: found.final.length < total,
  };
};

/** @throws UsageError OPTION_INVALID for settings of the other attack, METHOD_UNFIT */
const check = ({ model }: Opened, { attack, toward, maxFlips, anyToken, takeSpecial }: AttackInput): void => {
  if (attack === 'hotflip' && takeSpecial)
    throw new UsageError('--take-special is about input-reduction', {
      code: 'OPTION_INVALID',
      hint: 'HotFlip never swaps special tokens, in AllenNLP neither; leave it out.',
    });
  if (attack === 'input-reduction' && (toward !== undefined || maxFlips !== undefined || anyToken))
    throw new UsageError('--toward, --max-flips and --any-token are about hotflip', {
      code: 'OPTION_INVALID',
      hint: 'Input reduction keeps the prediction that there is; leave them out.',
    });
  if (attack === 'hotflip' && !model.tokenizer && !anyToken)
    throw new UsageError('without a tokenizer it is not known which tokens are words', {
      code: 'TOKENIZER_MISSING',
      hint: 'Give --any-token, or put the vocabulary beside config.json.',
    });
};

/** Texts that were to stay, and that no token of the prompt is. */
const keptInVain = (model: OpenModel, prompt: Prompt, keep: readonly string[] = []): readonly string[] => {
  const texts = new Set(attacked(prompt).ids.map((id) => textOf(model, id).trim()));
  const absent = keep.filter((text) => !texts.has(text));
  if (absent.length === 0) return [];
  return [`no token of the text is ${absent.map((text) => JSON.stringify(text)).join(' or ')}: nothing stays for it`];
};

/** Where the answer to a text stands; nowhere, of a classifier. */
const answerIn = (model: OpenModel) => (prompt: Prompt) =>
  model.program.facts.output === 'masks' ? answerPosition(model, prompt) : undefined;

/** Attacks the prediction of a prompt. */
export const attackOn = async (
  opened: Opened,
  input: AttackInput,
  context: OperationContext,
): Promise<AttackResult> => {
  const { model, edits, prompt } = opened;
  check(opened, input);
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const text: TextModel = {
    ...{ model, variant, prompt, onSegment: checkpoints(context), onTexts: () => undefined, maxBytes: undefined },
  };
  const victim = new TextVictim(text, answerIn(model));
  const setting = { opened, input, victim, context };
  const outcome = await (input.attack === 'hotflip' ? flip(setting) : reduce(setting));
  const last = withText(
    model,
    prompt,
    outcome.final.map((t) => t.id),
  );
  const told = [...notes, ...answerNotes(model, prompt), ...keptInVain(model, prompt, input.keep)];
  for (const note of told) context.note(note);
  const said = [...model.notes, ...told];
  return {
    model: await model.summary(),
    ...{ attack: input.attack, ...promptView(prompt), ...outcome },
    ...(model.program.facts.output === 'labels' ? {} : { position: answerPosition(model, last) }),
    ...(said.length > 0 ? { notes: said } : {}),
  };
};
