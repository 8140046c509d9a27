import { divergence, measureScores, sumScores, type ScoreSums } from '../../analyses/lens/index.js';
import { bug, UsageError } from '../../base/index.js';
import { likeliest, type KeptRun } from '../../engine/index.js';
import type { ComparedRun, CompareInput, CompareResult, ModelSummary, ScoredToken } from '../../protocol/index.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import { keptRun } from '../kept-run.js';
import { wordsOf } from '../words.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { secondsSince } from '../prepare.js';
import { promptView, textOf } from '../prompts.js';
import { answerPosition, scoreViews } from '../scoring.js';
import { scoredTokens } from '../scored.js';
import { finite } from '../finite.js';

/** Scores that are kept for a comparison, in numbers: beyond, only those of the last position are made. */
const mostScores = 2 ** 25;

/** [position][vocab], of all positions or the last. */
type Rows = readonly Float32Array[];

/** What a side is told from. */
interface Told {
  readonly rows: Rows;
  readonly sums: readonly ScoreSums[];
  readonly input: CompareInput;
  readonly run: KeptRun;
  readonly notes: readonly string[];
}

interface Side {
  readonly told: ComparedRun;
  /** Whose scores are the answer. */
  readonly position: number;
  readonly model: ModelSummary;
  readonly ids: readonly number[];
  readonly rows: Rows;
  readonly sums: readonly ScoreSums[];
  readonly seconds: number;
  readonly reused: number;
}

const rowsOf = ({ logits }: KeptRun): readonly Float32Array[] => {
  if (!logits) throw bug('the model gave no scores');
  const vocab = logits.shape.at(-1) ?? 1;
  return Array.from({ length: logits.data.length / vocab }, (_, i) => logits.data.subarray(i * vocab, (i + 1) * vocab));
};

/** −log of the probability that each token had; null where there are no scores before it. */
const surprises = (ids: readonly number[], rows: Rows, sums: readonly ScoreSums[]): (number | null)[] =>
  ids.map((id, i) => {
    const [before, sum] = i === 0 || rows.length < ids.length ? [] : [rows[i - 1], sums[i - 1]];
    return before && sum ? finite(sum.logSum - (before[id] ?? NaN)) : null;
  });

/** The likeliest token of a row, named. */
const bestOf = (model: OpenModel, row: Float32Array, { logSum }: ScoreSums): ScoredToken => {
  const id = likeliest(row);
  const logit = row[id] ?? NaN;
  return {
    id,
    text: textOf(model, id),
    logit: finite(logit),
    probability: Number.isNaN(logit) ? 0 : Math.exp(logit - logSum),
  };
};

const tellSide = async ({ model, prompt }: Opened, { rows, sums, input, run, notes }: Told): Promise<ComparedRun> => {
  const named = (logits: Float32Array, top: number): ScoredToken[] =>
    scoredTokens(logits, top, (id) => textOf(model, id));
  const words = await wordsOf(model, input.words);
  const answer = rows.at(answerPosition(model, prompt) - prompt.ids.length) ?? new Float32Array();
  const isNext = model.program.facts.output === 'next';
  const measured = measureScores(
    answer,
    0,
    words.map((w) => w.id),
  );
  const scored = isNext || !run.logits ? undefined : scoreViews(model, { input, prompt }, run.logits);
  return {
    ...promptView(prompt),
    ...{ next: isNext ? named(answer, input.top) : [], ...scored?.views },
    words: words.map((word, i) => {
      const { rank = 0, logit = NaN, probability = NaN } = measured.words[i] ?? {};
      return { ...word, rank, logit: finite(logit), probability: finite(probability) };
    }),
    best: rows.map((row, i) => bestOf(model, row, sums[i] ?? sumScores(row))),
    surprise: isNext ? surprises(prompt.ids, rows, sums) : prompt.ids.map(() => null),
    entropy: sums.map((sum) => finite(sum.entropy)),
    notes: [...model.notes, ...notes, ...(scored?.notes ?? [])],
  };
};

const promptFields = ['prompt', 'ids', 'chat', 'messages', 'target', 'targetIds'] as const;

/** The request of the run that is compared with: its own edits, and its own model and prompt where it has them. */
const versusOf = ({ other, versus, ...input }: CompareInput): CompareInput => {
  const { model = input.model, ...prompt } = other ?? {};
  const hasPrompt = promptFields.some((field) => prompt[field] !== undefined);
  const none = hasPrompt ? Object.fromEntries(promptFields.map((field) => [field, undefined])) : {};
  return { ...input, ...none, ...prompt, model, edits: versus, versus };
};

const sideOf = async (input: CompareInput, context: OperationContext): Promise<Side> => {
  const side = await onEachPrompt(input, context, async (opened) => {
    const from = performance.now();
    const { model, prompt } = opened;
    const isWhole = input.scored === 'all' && prompt.ids.length * model.program.facts.vocab <= mostScores;
    const logits = isWhole ? 'all' : 'last';
    const { run, notes } = await keptRun(opened, { logits, context });
    const rows = rowsOf(run);
    const sums = rows.map(sumScores);
    const told = await tellSide(opened, { rows, sums, input, run, notes });
    const position = answerPosition(model, prompt);
    const { reused } = run;
    return {
      told,
      position,
      model: await model.summary(),
      ids: prompt.ids,
      rows,
      sums,
      seconds: secondsSince(from),
      reused,
    };
  });
  if (Array.isArray(side)) throw bug('a comparison is of one prompt');
  return side;
};

const answerRow = ({ rows, ids, position }: Side): Float32Array => rows.at(position - ids.length) ?? new Float32Array();

const compareSides = (before: Side, after: Side): Pick<CompareResult, 'kl' | 'changed'> => {
  const alike = before.rows.length === after.rows.length && before.ids.length === after.ids.length;
  const [p, q] = alike ? [before.rows, after.rows] : [[answerRow(before)], [answerRow(after)]];
  const sumsOf = (row: Float32Array, i: number, { sums }: Side): ScoreSums =>
    (alike ? sums[i] : undefined) ?? sumScores(row);
  const positions = p.map((_, i) => before.ids.length - p.length + i);
  return {
    kl: p.map((row, i) => {
      const other = q[i] ?? row;
      return finite(divergence(row, other, [sumsOf(row, i, before), sumsOf(other, i, after)]));
    }),
    changed: positions.filter((_, i) => {
      const [one, other] = [before.told.best.at(i - p.length), after.told.best.at(i - p.length)];
      return one?.id !== other?.id;
    }),
  };
};

/** Scores of other words have no difference. @throws UsageError OPTION_INVALID */
const checkVocabularies = (before: Side, after: Side): void => {
  const [p, q] = [answerRow(before).length, answerRow(after).length];
  if (p === q) return;
  throw new UsageError(`one model scores ${p} tokens, the other ${q}`, {
    code: 'OPTION_INVALID',
    hint: 'Two models can be compared where they have one vocabulary: take two of one family.',
    details: { before: p, after: q },
  });
};

/** A run and another beside it: the same prompt under two lists of edits, two prompts, or two models. */
export const compare: Operation<CompareInput, CompareResult> = {
  name: 'compare',
  help: 'Runs a prompt twice, with edits and without them (or with others), and tells what changed: the next tokens, the likeliest word at each position, and how far the two are apart (KL divergence).',
  async run(input, context) {
    const before = await sideOf(versusOf(input), context);
    const after = await sideOf(input, context);
    checkVocabularies(before, after);
    const { kl, changed } = compareSides(before, after);
    return {
      model: after.model,
      ...(input.other?.model === undefined ? {} : { otherModel: before.model }),
      ...{ before: before.told, after: after.told, position: after.position, kl, changed },
      ...{ seconds: before.seconds + after.seconds, reused: after.reused },
    };
  },
};
