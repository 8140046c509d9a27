import { patchCells, type Patched, type PatchRequest } from '../../analyses/patching/index.js';
import {
  type By,
  type Cell,
  type Grid,
  gridsOf,
  type Ledger,
  type Metric,
  metricOf,
} from '../../analyses/sweep/index.js';
import { bug, UsageError } from '../../base/index.js';
import { prepareExperiment, type Prompt, type SweepModel } from '../../engine/index.js';
import { parseExpression, type Edit } from '../../language/index.js';
import type { PatchInput } from '../../protocol/index.js';
import { checkpoints } from '../cancel.js';
import { contextFor } from '../experiment.js';
import { keptRun } from '../kept-run.js';
import { liveElsewhere } from '../live/live-sweep.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { textOf, tokensOfText } from '../prompts.js';
import { answerPosition } from '../scoring.js';
import { cellKey, type PairValues } from './grid-result.js';
import type { SweepFile } from './ledger.node.js';
import { differenceOf, type Pair } from './pairs.js';
import { checkSweepBytes, isShortForWeights } from './sweep-bytes.js';

/** What all pairs of a request are run with. */
export interface PatchRun {
  readonly model: OpenModel;
  readonly edits: readonly Edit[];
  readonly input: PatchInput;
  readonly context: OperationContext;
  readonly file: SweepFile | undefined;
  readonly pairs: readonly Pair[];
  /** Of texts of several lengths: positions count from the end. */
  readonly fromEnd: boolean;
}

/** What came of a pair. */
export interface PairResult extends PairValues {
  readonly metric: string;
  readonly grids: readonly Grid[];
  readonly runs: number;
  readonly known: number;
  /** Of noise: its standard deviation. */
  readonly sigma?: number;
  readonly guess?: { readonly guessed: readonly number[]; readonly measured: readonly number[] };
}

export const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

/** A model with the edits that all runs have, for a prompt. */
export const sweepModel = async (
  { model, edits, context }: Pick<PatchRun, 'model' | 'edits' | 'context'>,
  prompt: Prompt,
): Promise<SweepModel> => {
  const onSegment = checkpoints(context);
  if (model.live) {
    const runs = await model.live.edited(edits);
    const { variant } = await prepareExperiment(contextFor(model, prompt, 0), []);
    const { program, compilations } = model;
    return { program, compilations, variant, elsewhere: liveElsewhere({ runs, program, variant, onSegment }) };
  }
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  for (const note of notes) context.note(note);
  const sideBySide = isShortForWeights(model) ? ({ sideBySide: 'never' } as const) : {};
  return { program: model.program, compilations: model.compilations, variant, onSegment, ...sideBySide };
};

/** The likeliest token where the answer is expected. */
const likeliestAt = async (run: PatchRun, prompt: Prompt): Promise<number> => {
  const { model, edits, context } = run;
  const { logits } = (await keptRun({ model, edits, prompt }, { logits: 'last', keep: false, context })).run;
  if (!logits) throw bug('the model gave no scores');
  const vocab = logits.shape.at(-1) ?? 1;
  const rows = logits.data.length / vocab;
  const row = rows === 1 ? 0 : answerPosition(model, prompt);
  const scores = logits.data.subarray(row * vocab, (row + 1) * vocab);
  return scores.reduce((best, x, i) => (x > (scores[best] ?? -Infinity) ? i : best), 0);
};

/** What is measured where nothing says it: what the clean run says, less what the corrupted one says. */
export const usualMetric = async (run: PatchRun, { prompt, corrupt }: Pair): Promise<string> => {
  const { model, context } = run;
  const { labels } = model.program.facts;
  const right = await likeliestAt(run, prompt);
  const wrong = corrupt && (await likeliestAt(run, corrupt));
  if (wrong === right)
    throw invalid(
      `both prompts lead to ${JSON.stringify(labels ? labels[right] : textOf(model, right))}, so that there is nothing to compare`,
      labels
        ? `Name two labels with --answer and --wrong: ${labels.join(', ')}.`
        : 'Name two words with --answer and --wrong, or give --metric, such as prob(" Paris").',
    );
  const at = model.program.facts.output === 'masks' ? ` at position ${answerPosition(model, prompt)}` : '';
  const name = (id: number) => {
    const text = textOf(model, id);
    return model.tokenizer?.idOf(text) === id && model.program.facts.output !== 'labels' ? text : id;
  };
  const metric = differenceOf(name(right), wrong === undefined ? undefined : name(wrong), at);
  context.note(`the metric is ${metric}`);
  return metric;
};

/** What a text measures of a prompt. @throws UsageError EXPRESSION_*, SITE_UNKNOWN */
export const readMetric = (
  swept: SweepModel,
  prompt: Prompt,
  { model, text }: { model: OpenModel; text: string },
): Promise<Metric> =>
  metricOf(parseExpression(text), {
    ...{ program: model.program, order: swept.variant.order, prompt },
    encode: (token) => tokensOfText(model, token),
  });

/** Which of two prompts is changed, and where values come from. */
export const sidesOf = (
  { input }: PatchRun,
  { prompt, corrupt }: Pair,
): { readonly base: Prompt; readonly other: Prompt } => {
  if (!corrupt)
    throw invalid(
      'there is no corrupted prompt to patch with',
      'Give it with --corrupt "TEXT", or choose --method noise, zero or mean, which need one prompt.',
    );
  return input.direction === 'denoise' ? { base: corrupt, other: prompt } : { base: prompt, other: corrupt };
};

const byOf = ({ by }: PatchInput): readonly By[] | undefined => by?.filter((way): way is By => way !== 'none');

export interface Prepared {
  readonly run: PatchRun;
  readonly at: number;
  readonly pair: Pair;
  readonly metric: string;
}

/** The cells of a prompt, with what the sweep over them takes checked. */
export const cellsOf = (
  { run }: Prepared,
  swept: SweepModel,
  prompt: Prompt,
): { grids: readonly Grid[]; cells: readonly Cell[] } => {
  const { input, model } = run;
  const { layers, positions, sites, maxBytes } = input;
  const grids = gridsOf({
    program: model.program,
    order: swept.variant.order,
    prompt,
    sites,
    by: byOf(input),
    layers,
    positions,
  });
  const cells = grids.flatMap((g) => g.cells);
  if (cells.length === 0)
    throw invalid(
      'nothing is chosen to be changed',
      `Choose other --sites, --layers (0 to ${model.program.facts.layers - 1}) or --positions (0 to ${prompt.ids.length - 1}).`,
    );
  const rows = new Map<number, number>();
  for (const { position = 0 } of cells) rows.set(position, (rows.get(position) ?? 0) + 1);
  checkSweepBytes(model, { places: cells.map((c) => c.place), prompt, together: Math.max(...rows.values()), maxBytes });
  return { grids, cells };
};

/** What one draw gave. */
export interface Drawn extends Patched {
  readonly runs: number;
  readonly known: number;
}

/** What the file has of cells, and what it is to keep. `draw`: which draw of noise or of a prompt, or what else of them. */
export const ledgerOf = ({ run: { file }, at }: Prepared, draw: number | string): Ledger => {
  const key = (cell: number): string => `${at}:${draw}:${cell}`;
  return {
    known: (cell) => file?.known.get(key(cell)),
    add: async (cell, value) => file?.add(key(cell), value),
  };
};

/** Runs all cells once, results kept in the file. `draw`: which draw of noise or of a prompt this is. */
export const patched = async (
  p: Prepared,
  swept: SweepModel,
  { draw = 0, ...request }: Omit<PatchRequest, 'ledger' | 'onProgress'> & { readonly draw?: number | string },
): Promise<Drawn> => {
  const { context, input } = p.run;
  const ledger = ledgerOf(p, draw);
  const known = request.cells.filter((_, c) => ledger.known(c) !== undefined).length;
  const result = await patchCells(swept, {
    ...{ ...request, window: input.window, ledger },
    onProgress: (done, total) => context.progress?.({ done, total, what: 'patches' }),
  });
  return { ...result, runs: request.cells.length - known, known };
};

/** Values by the keys of their cells. */
export const keyed = (
  { run }: Prepared,
  { grids, prompt }: { readonly grids: readonly Grid[]; readonly prompt: Prompt },
  values: readonly number[],
): ReadonlyMap<string, number> => {
  const keys = grids.flatMap(({ kind, cells }) =>
    cells.map((cell) => cellKey(kind, cell, run.fromEnd ? prompt.ids.length : undefined)),
  );
  return new Map(keys.flatMap((key, i) => (Number.isNaN(values[i] ?? NaN) ? [] : [[key, values[i] ?? NaN] as const])));
};

/** Which run is the clean one. */
export const ends = ({ input }: PatchRun, base: number, other: number) =>
  input.direction === 'denoise' ? { clean: other, corrupted: base } : { clean: base, corrupted: other };
