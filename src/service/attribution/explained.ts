import { UsageError } from '../../base/index.js';
import type { Prompt } from '../../engine/index.js';
import { formatExpression, parseExpression, type Expression, type TokenNode } from '../../language/index.js';
import { runInput, type AttributeInput, type TokenView, type WordInput } from '../../protocol/index.js';
import type { Opened } from '../edited-model.js';
import { Generation } from '../generation.js';
import { keptRun } from '../kept-run.js';
import { labelOf } from '../labels.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { promptOfIds, textOf, tokensOfText } from '../prompts.js';
import { answerNotes, answerPosition, answerScores } from '../scoring.js';
import { scoredTokens } from '../scored.js';

/** A number that is explained. */
export interface Explained {
  readonly expression: Expression;
  /** For people. */
  readonly text: string;
  /** The position whose scores it reads, where that is known. */
  readonly position?: number;
  /** What is scored, where it is one token or label. */
  readonly token?: TokenView;
}

/** What is explained, on a text that may have grown by what it goes on with. */
export interface Explanation {
  readonly prompt: Prompt;
  readonly rows: readonly Explained[];
  readonly notes: readonly string[];
}

type Wanted = Pick<AttributeInput, 'of' | 'word' | 'versus' | 'score' | 'output' | 'maxNewTokens'>;

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

/** @throws UsageError OPTION_INVALID for what goes not together */
const check = ({ program }: OpenModel, { of, word, versus, output, maxNewTokens }: Wanted): void => {
  const each = output !== undefined || maxNewTokens !== undefined;
  if (output !== undefined && maxNewTokens !== undefined)
    throw invalid('--output and --max-new-tokens both say what the text goes on with', 'Give one of them.');
  if (of !== undefined && (word !== undefined || versus !== undefined))
    throw invalid('--of says what is explained, and so do --word and --versus', 'Give an expression, or words.');
  if (each && (of !== undefined || word !== undefined))
    throw invalid(
      'each token that the text goes on with is explained, and --of or --word says something else',
      'Leave one of them out; --versus goes with both.',
    );
  if (each && program.facts.output !== 'next')
    throw invalid('this model makes no tokens', 'Leave --output and --max-new-tokens out.');
};

/** A score of a word or label, with its name for people. */
const scoreOf = (
  model: OpenModel,
  word: WordInput,
  { score, position }: { score: Wanted['score']; position?: number },
) => {
  const isLabel = model.program.facts.output === 'labels';
  const token = isLabel ? labelOf(model, word) : word;
  const node: TokenNode = { kind: 'token', by: score, token, ...(position === undefined ? {} : { position }) };
  const name = isLabel
    ? (model.program.facts.labels?.[Number(token)] ?? String(token))
    : typeof token === 'number' && model.tokenizer
      ? textOf(model, token)
      : token;
  return { node, shown: { ...node, token: name } };
};

/** The score of a word, or its difference from another's. */
const contrast = (
  model: OpenModel,
  word: WordInput,
  {
    versus,
    ...at
  }: { readonly score: Wanted['score']; readonly position?: number; readonly versus: WordInput | undefined },
): Pick<Explained, 'expression' | 'text'> => {
  const one = scoreOf(model, word, at);
  if (versus === undefined) return { expression: one.node, text: formatExpression(one.shown) };
  const other = scoreOf(model, versus, at);
  const minus = (left: Expression, right: Expression): Expression => ({ kind: 'binary', operator: '-', left, right });
  return { expression: minus(one.node, other.node), text: formatExpression(minus(one.shown, other.shown)) };
};

/** The scores of the answer, without any change to the text. */
const answerOf = async (opened: Opened, context: OperationContext): Promise<Float32Array> => {
  const { run } = await keptRun(opened, { logits: 'last', context });
  return answerScores(opened.model, opened.prompt, run.logits);
};

/** The likeliest label or token. */
export const predicted = (model: OpenModel, scores: Float32Array) => {
  const { labels } = model.program.facts;
  const name = (id: number): string => (labels ? (labels[id] ?? `[${id}]`) : textOf(model, id));
  return scoredTokens(scores, 1, name)[0] ?? { id: 0, text: name(0), logit: null, probability: 0 };
};

/** Where the scores of a word are read: told only where it is not the last position. */
const positionFor = ({ model, prompt }: Opened): { readonly position?: number } =>
  model.program.facts.output === 'masks' ? { position: answerPosition(model, prompt) } : {};

/** One number: an expression, a word's score, or that of what is predicted. */
const one = async (opened: Opened, wanted: Wanted, context: OperationContext): Promise<Explained> => {
  const { model, prompt } = opened;
  if (wanted.of !== undefined) return { expression: parseExpression(wanted.of), text: wanted.of };
  const at = { score: wanted.score, versus: wanted.versus, ...positionFor(opened) };
  const place = model.program.facts.output === 'labels' ? {} : { position: answerPosition(model, prompt) };
  if (wanted.word !== undefined) {
    const text = typeof wanted.word === 'string' ? wanted.word : textOf(model, wanted.word);
    const id = typeof wanted.word === 'string' ? model.tokenizer?.idOf(wanted.word) : wanted.word;
    const token = place.position === undefined || id === undefined ? {} : { token: { id, text } };
    return { ...contrast(model, wanted.word, at), ...place, ...token };
  }
  const { id, text } = predicted(model, await answerOf(opened, context));
  return { ...contrast(model, id, at), ...place, token: { id, text } };
};

/** The tokens that the text goes on with: given, or made. */
const continuation = async (opened: Opened, wanted: Wanted, context: OperationContext) => {
  if (wanted.output !== undefined) {
    const tokens = await tokensOfText(opened.model, wanted.output);
    if (tokens.length > 0) return { ids: tokens.map((t) => t.id), notes: [] };
    throw invalid('--output has no tokens', 'Give the text that follows the prompt, with its space in front.');
  }
  const input = runInput.parse({ maxNewTokens: wanted.maxNewTokens, prompt: '' });
  const { signal, models } = context;
  const quiet: OperationContext = {
    ...{ signal, note: () => undefined, poll: () => context.poll?.() },
    ...(models ? { models } : {}),
  };
  return new Generation(opened.model, { ...opened, input }, quiet).run();
};

const grown = (model: OpenModel, { ids, source }: Prompt, more: readonly number[]): Prompt =>
  source ? promptOfIds(model, source.ids, [...ids.slice(1), ...more]) : promptOfIds(model, [...ids, ...more]);

/** A number for each token that the text goes on with, all read in one text. */
const each = async (opened: Opened, wanted: Wanted, context: OperationContext): Promise<Explanation> => {
  const { model, prompt } = opened;
  const { ids, notes } = await continuation(opened, wanted, context);
  const rows = ids.map((id, i): Explained => {
    const position = prompt.ids.length - 1 + i;
    const told = contrast(model, id, { score: wanted.score, versus: wanted.versus, position });
    return { ...told, position, token: { id, text: textOf(model, id) } };
  });
  return { prompt: grown(model, prompt, ids.slice(0, -1)), rows, notes };
};

/**
 * What a request explains.
 * @throws UsageError OPTION_INVALID, EXPRESSION_SYNTAX, EXPRESSION_INVALID, PROMPT_TOO_LONG
 */
export const explanationOf = async (
  opened: Opened,
  wanted: Wanted,
  context: OperationContext,
): Promise<Explanation> => {
  check(opened.model, wanted);
  if (wanted.output !== undefined || wanted.maxNewTokens !== undefined) return each(opened, wanted, context);
  const notes = wanted.of === undefined ? answerNotes(opened.model, opened.prompt) : [];
  return { prompt: opened.prompt, rows: [await one(opened, wanted, context)], notes };
};
