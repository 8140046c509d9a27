import { bug, UsageError } from '../../base/index.js';
import { beforeCap } from '../../graph/index.js';
import { topTokens } from '../../engine/index.js';
import type { ScoreInput, ScoreTold } from '../../protocol/index.js';
import type { Opened } from '../edited-model.js';
import { wordId } from '../words.js';
import { keptRun } from '../kept-run.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { textOf } from '../prompts.js';
import { answerPosition } from '../scoring.js';

/** A score to be told apart, and as an expression of which gradients can be taken. */
export interface Score {
  readonly told: ScoreTold;
  /** Linear in scores before the cap. */
  readonly expression: string;
}

/** The position that is meant. @throws UsageError OPTION_INVALID */
export const positionOf = ({ model, prompt }: Opened, given: number | undefined): number => {
  const { length } = prompt.ids;
  const position = given === undefined ? answerPosition(model, prompt) : given < 0 ? length + given : given;
  if (position >= 0 && position < length) return position;
  throw new UsageError(`there is no position ${given ?? position}`, {
    code: 'OPTION_INVALID',
    hint: `The prompt's positions go from 0 to ${length - 1}, or from -${length} to -1 from the end.`,
  });
};

/** @throws UsageError METHOD_UNFIT for a classifier */
export const needWords = ({ program }: OpenModel): void => {
  if (program.facts.output !== 'labels') return;
  throw new UsageError('words are told apart, and this model scores labels', {
    code: 'METHOD_UNFIT',
    hint: 'Use a model with a language-model head.',
  });
};

const capOf = ({ program }: OpenModel): number | undefined => {
  const graph = program.segments.find((s) => s.kind === 'head')?.graph;
  const logits = graph?.sites.find((s) => s.name === 'logits')?.value;
  return graph && logits !== undefined ? beforeCap(graph, logits)?.cap : undefined;
};

/** A score before a cap, and how it changes with the capped one. */
const uncapped = (logit: number, cap: number | undefined): { readonly raw: number; readonly slope: number } => {
  if (cap === undefined) return { raw: logit, slope: 1 };
  return { raw: cap * Math.atanh(logit / cap), slope: 1 / (1 - (logit / cap) ** 2) };
};

/** The scores at one position. [vocab] */
const scoresAt = async (opened: Opened, position: number, context: OperationContext) => {
  const { run, notes } = await keptRun(opened, { logits: 'all', context });
  const vocab = run.logits?.shape.at(-1) ?? 0;
  const row = run.logits?.data.subarray(position * vocab, (position + 1) * vocab);
  if (!row) throw bug('the model gave no scores');
  return { row, notes };
};

/**
 * The score that a request means: of a word, or of the likeliest, less that of another.
 * @throws UsageError OPTION_INVALID, EDIT_INVALID, ID_OUT_OF_RANGE, TOKENIZER_MISSING
 */
export const scoreOf = async (
  opened: Opened,
  { word, against, position: given }: ScoreInput,
  context: OperationContext,
): Promise<Score & { readonly notes: readonly string[] }> => {
  const { model } = opened;
  needWords(model);
  const position = positionOf(opened, given);
  const { row, notes } = await scoresAt(opened, position, context);
  const id = word === undefined ? (topTokens(row, 1)[0]?.id ?? 0) : await wordId(model, word);
  const other = against === undefined ? undefined : await wordId(model, against);
  const cap = capOf(model);
  const own = uncapped(row[id] ?? NaN, cap);
  const theirs = other === undefined ? { raw: 0, slope: 0 } : uncapped(row[other] ?? NaN, cap);
  if (!Number.isFinite(own.raw) || !Number.isFinite(theirs.raw))
    throw new UsageError('the score is no finite number, or at its cap', {
      code: 'OPTION_INVALID',
      hint: '`cutaway debug` with `break nan` finds where a number first goes wrong.',
    });
  const term = (slope: number, token: number): string => `${slope} * logit(${token}) at position ${position}`;
  return {
    told: {
      ...{ position, word: { id, text: textOf(model, id) } },
      ...(other === undefined ? {} : { against: { id: other, text: textOf(model, other) } }),
      value: own.raw - theirs.raw,
      shown: (row[id] ?? NaN) - (other === undefined ? 0 : (row[other] ?? NaN)),
      ...(cap === undefined ? {} : { cap }),
    },
    expression: other === undefined ? term(own.slope, id) : `${term(own.slope, id)} - ${term(theirs.slope, other)}`,
    notes,
  };
};
