import {
  attributionPatching,
  noiseEdit,
  patchCells,
  patchPaths,
  receiversOf,
  type CellValue,
  type PatchRequest,
} from '../../analyses/patching/index.js';
import {
  correlation,
  gridsOf,
  mean,
  metricOf,
  normalNumbers,
  randomNumbers,
  type By,
  type Cell,
  type Grid,
  type Metric,
} from '../../analyses/sweep/index.js';
import { bug, UsageError } from '../../base/index.js';
import {
  canonicalName,
  placedSites,
  prepareExperiment,
  Sweep,
  type Prompt,
  type SweepModel,
} from '../../engine/index.js';
import { parseExpression, type Edit } from '../../language/index.js';
import type { PatchInput } from '../../protocol/index.js';
import { checkpoints } from '../cancel.js';
import { contextFor } from '../experiment.js';
import { keptRun } from '../kept-run.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { textOf, tokensOfText } from '../prompts.js';
import { answerPosition } from '../scoring.js';
import { cellKey, type PairValues } from './grid-result.js';
import type { SweepFile } from './ledger.node.js';
import { differenceOf, type Pair } from './pairs.js';
import { checkSweepBytes } from './sweep-bytes.js';

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
  readonly guess?: { readonly guessed: readonly number[]; readonly measured: readonly number[] };
}

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

/** A model with the edits that all runs have, for a prompt. */
export const sweepModel = async (
  { model, edits, context }: Pick<PatchRun, 'model' | 'edits' | 'context'>,
  prompt: Prompt,
): Promise<SweepModel> => {
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  for (const note of notes) context.note(note);
  return { program: model.program, compilations: model.compilations, variant, onSegment: checkpoints(context) };
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
  const right = await likeliestAt(run, prompt);
  const wrong = corrupt && (await likeliestAt(run, corrupt));
  if (wrong === right)
    throw invalid(
      `both prompts lead to ${JSON.stringify(textOf(model, right))}, so that there is nothing to compare`,
      'Name two words with --answer and --wrong, or give --metric, such as prob(" Paris").',
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
const sidesOf = ({ input }: PatchRun, { prompt, corrupt }: Pair): { readonly base: Prompt; readonly other: Prompt } => {
  if (!corrupt)
    throw invalid(
      'there is no corrupted prompt to patch with',
      'Give it with --corrupt "TEXT", or choose --method noise, zero or mean, which need one prompt.',
    );
  return input.direction === 'denoise' ? { base: corrupt, other: prompt } : { base: prompt, other: corrupt };
};

const byOf = ({ by }: PatchInput): readonly By[] | undefined => by?.filter((way): way is By => way !== 'none');

interface Prepared {
  readonly run: PatchRun;
  readonly at: number;
  readonly pair: Pair;
  readonly metric: string;
}

/** The cells of a prompt, with what the sweep over them takes checked. */
const cellsOf = (
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
    throw invalid('nothing is chosen to be changed', 'Choose other --sites, --layers or --positions.');
  const rows = new Map<number, number>();
  for (const { position = 0 } of cells) rows.set(position, (rows.get(position) ?? 0) + 1);
  checkSweepBytes(model, { places: cells.map((c) => c.place), prompt, together: Math.max(...rows.values()), maxBytes });
  return { grids, cells };
};

/** Runs all cells once, results kept in the file. `draw`: which draw of noise or of a prompt this is. */
const patched = async (
  { run, at }: Prepared,
  swept: SweepModel,
  request: Omit<PatchRequest, 'ledger' | 'onProgress'>,
  draw = 0,
) => {
  const { file, context, input } = run;
  let flushed = performance.now();
  const key = (cell: number): string => `${at}:${draw}:${cell}`;
  const known = request.cells.filter((_, c) => file?.known.has(key(c))).length;
  try {
    const result = await patchCells(swept, {
      ...request,
      window: input.window,
      ledger: {
        known: (cell) => file?.known.get(key(cell)),
        add: async (cell, value) => {
          file?.add(key(cell), value);
          if (performance.now() - flushed < 1000) return;
          flushed = performance.now();
          await file?.flush();
        },
      },
      onProgress: (done, total) => context.progress?.({ done, total, what: 'patches' }),
    });
    return { ...result, runs: request.cells.length - known, known };
  } finally {
    await file?.flush();
  }
};

const keyed = (
  { run }: Prepared,
  grids: readonly Grid[],
  prompt: Prompt,
  values: readonly number[],
): ReadonlyMap<string, number> => {
  const keys = grids.flatMap(({ kind, cells }) =>
    cells.map((cell) => cellKey(kind, cell, run.fromEnd ? prompt.ids.length : undefined)),
  );
  return new Map(keys.flatMap((key, i) => (Number.isNaN(values[i] ?? NaN) ? [] : [[key, values[i] ?? NaN] as const])));
};

const ends = ({ input }: PatchRun, base: number, other: number) =>
  input.direction === 'denoise' ? { clean: other, corrupted: base } : { clean: base, corrupted: other };

const patchPair = async (p: Prepared): Promise<PairResult> => {
  const { base, other } = sidesOf(p.run, p.pair);
  const swept = await sweepModel(p.run, base);
  const { grids, cells } = cellsOf(p, swept, base);
  const { model } = p.run;
  const [metric, otherMetric] = [
    await readMetric(swept, base, { model, text: p.metric }),
    await readMetric(swept, other, { model, text: p.metric }),
  ];
  const made = await patched(p, swept, {
    prompt: base,
    cells,
    metric,
    to: { kind: 'patch', prompt: other, metric: otherMetric },
  });
  return {
    metric: p.metric,
    grids,
    runs: made.runs,
    known: made.known,
    ...ends(p.run, made.base, made.other ?? NaN),
    values: keyed(p, grids, base, made.values),
  };
};

/** Means over draws, cell by cell. */
const meanOver = (draws: readonly (readonly number[])[]): readonly number[] =>
  (draws[0] ?? []).map((_, c) => mean(draws.map((d) => d[c] ?? NaN)));

/** Three times the standard deviation of the embedding. Meng et al. 2022 §2.1, who take it over the words of their subjects. */
const usualSigma = async (model: OpenModel): Promise<number> => {
  const { data } = await model.weights.read(model.program.facts.embedding);
  let [sum, squares] = [0, 0];
  for (const x of data) {
    sum += x;
    squares += x * x;
  }
  return 3 * Math.sqrt(squares / data.length - (sum / data.length) ** 2);
};

const noisePair = async (p: Prepared): Promise<PairResult> => {
  const {
    run,
    pair: { prompt },
  } = p;
  const { input, model } = run;
  const plain = await sweepModel(run, prompt);
  const site = ['embed', 'encoder.embed'].find((name) =>
    placedSites(plain.variant.order).some((s) => s.name === canonicalName(model.program, name)),
  );
  const place = placedSites(plain.variant.order).find((s) => s.name === site);
  if (site === undefined || !place)
    throw invalid('this model has no embedding to add noise to', 'Choose another method.');
  const length = place.instance.segment.stack === 'encoder' ? (prompt.source?.ids.length ?? 0) : prompt.ids.length;
  const positions = input.subject;
  if (!positions)
    throw invalid(
      'it is not said which tokens are noised',
      'Give their positions with --subject 1,2,3: `cutaway tokenize MODEL --text` counts them.',
    );
  if (positions.some((x) => x >= length))
    throw invalid(
      `there is no position ${Math.max(...positions)}`,
      `The prompt's positions go from 0 to ${length - 1}.`,
    );
  const sigma = input.sigma ?? (await usualSigma(model));
  const width = Number(place.type.shape.at(-1));
  const { grids, cells } = cellsOf(p, plain, prompt);
  const metric = await readMetric(plain, prompt, { model, text: p.metric });
  const draws: Awaited<ReturnType<typeof patched>>[] = [];
  for (let draw = 0; draw < input.samples; draw++) {
    const normal = normalNumbers(input.seed * 100_003 + draw);
    const noise = {
      dtype: 'float32',
      shape: [1, length, width],
      data: Float32Array.from({ length: length * width }, () => sigma * normal()),
    } as const;
    const swept = { ...plain, variant: noiseEdit(plain, site, { positions, noise }) };
    draws.push(
      await patched(
        p,
        swept,
        { prompt, cells, metric, to: { kind: 'patch', prompt, metric, variant: plain.variant } },
        draw,
      ),
    );
  }
  const count = (what: 'runs' | 'known') => draws.reduce((sum, d) => sum + d[what], 0);
  return {
    ...{
      metric: p.metric,
      grids,
      runs: count('runs'),
      known: count('known'),
      clean: draws[0]?.other ?? NaN,
      corrupted: mean(draws.map((d) => d.base)),
    },
    values: keyed(p, grids, prompt, meanOver(draws.map((d) => d.values))),
  };
};

/** Prompts of the other pairs to draw from: of as many tokens. */
const resampled = ({ run, pair, at }: Prepared): readonly Prompt[] => {
  const own = pair.prompt.ids.length;
  const others = run.pairs.filter((_, i) => i !== at).map((o) => o.prompt);
  const all = pair.corrupt ? [pair.corrupt, ...others] : others;
  const alike = all.filter((o) => o.ids.length === own && o.source?.ids.length === pair.prompt.source?.ids.length);
  if (alike.length > 0) return alike;
  throw invalid(
    'there is no other prompt of as many tokens to draw from',
    'Give several with --pairs FILE.jsonl, or one with --corrupt.',
  );
};

const ablatePair = async (p: Prepared): Promise<PairResult> => {
  const {
    run,
    pair: { prompt },
  } = p;
  const { input, model } = run;
  const swept = await sweepModel(run, prompt);
  const { grids, cells } = cellsOf(p, swept, prompt);
  const metric = await readMetric(swept, prompt, { model, text: p.metric });
  const random = randomNumbers(input.seed + p.at);
  const drawn = async (): Promise<readonly CellValue[]> => {
    if (input.method !== 'resample')
      return [input.method === 'zero' ? { kind: 'zero' } : { kind: 'mean', prompts: run.pairs.map((o) => o.prompt) }];
    const others = resampled(p);
    const chosen = Array.from(
      { length: Math.min(input.samples, others.length === 1 ? 1 : input.samples) },
      () => others[Math.floor(random() * others.length)] as Prompt,
    );
    return Promise.all(
      chosen.map(async (other) => ({
        kind: 'patch' as const,
        prompt: other,
        metric: await readMetric(swept, other, { model, text: p.metric }),
      })),
    );
  };
  const draws: Awaited<ReturnType<typeof patched>>[] = [];
  for (const [draw, to] of (await drawn()).entries())
    draws.push(await patched(p, swept, { prompt, cells, metric, to }, draw));
  const count = (what: 'runs' | 'known') => draws.reduce((sum, d) => sum + d[what], 0);
  return {
    ...{
      metric: p.metric,
      grids,
      runs: count('runs'),
      known: count('known'),
      clean: draws[0]?.base ?? NaN,
      corrupted: NaN,
    },
    values: keyed(p, grids, prompt, meanOver(draws.map((d) => d.values))),
  };
};

/** Cells whose true effect is measured: those with the largest guesses, and as many drawn at random. */
const checkedCells = (guesses: readonly number[], { checked, seed }: PatchInput): readonly number[] => {
  const known = guesses.flatMap((g, i) => (Number.isNaN(g) ? [] : [i]));
  const size = (i: number): number => Math.abs(guesses[i] ?? 0);
  const top = [...known].sort((a, b) => size(b) - size(a)).slice(0, Math.ceil(checked / 2));
  const rest = known.filter((i) => !top.includes(i));
  const random = randomNumbers(seed);
  const drawn = Array.from(
    { length: Math.min(rest.length, checked - top.length) },
    () => rest.splice(Math.floor(random() * rest.length), 1)[0] ?? 0,
  );
  return [...top, ...drawn];
};

const guessPair = async (p: Prepared): Promise<PairResult> => {
  const { base, other } = sidesOf(p.run, p.pair);
  const swept = await sweepModel(p.run, base);
  const { grids, cells } = cellsOf(p, swept, base);
  const { model, input } = p.run;
  const [metric, otherMetric] = [
    await readMetric(swept, base, { model, text: p.metric }),
    await readMetric(swept, other, { model, text: p.metric }),
  ];
  const sweep = await Sweep.open(swept, {
    prompt: base,
    changes: cells.map((c) => c.place.name),
    observe: metric.sites,
    positions: metric.positions,
  });
  const [own, there] = [metric.of(sweep.baseRun), await sweep.other(other, { positions: otherMetric.positions })];
  const guesses = await attributionPatching(swept, {
    ...{ prompt: base, other: { prompt: other, run: there }, cells, expression: metric.expression },
    encode: (token) => tokensOfText(model, token),
  });
  const chosen = checkedCells(guesses, input);
  const some = chosen.map((c) => cells[c] as Cell);
  const truth =
    some.length === 0
      ? undefined
      : await patchCells(swept, {
          prompt: base,
          cells: some,
          metric,
          to: { kind: 'patch', prompt: other, metric: otherMetric },
        });
  return {
    ...{ metric: p.metric, grids, runs: some.length + 2, known: 0, ...ends(p.run, own, otherMetric.of(there)) },
    values: keyed(
      p,
      grids,
      base,
      guesses.map((g) => own + g),
    ),
    guess: { guessed: chosen.map((c) => guesses[c] ?? NaN), measured: (truth?.values ?? []).map((v) => v - own) },
  };
};

const pathPair = async (p: Prepared): Promise<PairResult> => {
  const { base, other } = sidesOf(p.run, p.pair);
  const { model, input, context } = p.run;
  const swept = await sweepModel(p.run, base);
  const { grids, cells } = cellsOf(p, swept, base);
  const metric = await readMetric(swept, base, { model, text: p.metric });
  const made = await patchPaths(swept, {
    ...{ prompt: base, senders: cells, metric, mlps: input.through === 'mlps' ? 'computed' : 'frozen' },
    other: { prompt: other, metric: await readMetric(swept, other, { model, text: p.metric }) },
    receivers: receiversOf(swept, input.receivers ?? 'logits', base),
    onProgress: (done, total) => context.progress?.({ done, total, what: 'runs along paths' }),
  });
  const runs = made.values.filter((x) => !Number.isNaN(x)).length;
  return {
    ...{ metric: p.metric, grids, runs, known: 0, ...ends(p.run, made.base, made.other) },
    values: keyed(p, grids, base, made.values),
  };
};

/** Runs one pair of a request by its method. */
export const runPair = async (run: PatchRun, at: number): Promise<PairResult> => {
  const pair = run.pairs[at] as Pair;
  const metric = pair.metric ?? (await usualMetric(run, pair));
  const prepared: Prepared = { run, at, pair, metric };
  switch (run.input.method) {
    case 'patch':
      return patchPair(prepared);
    case 'noise':
      return noisePair(prepared);
    case 'zero':
    case 'mean':
    case 'resample':
      return ablatePair(prepared);
    case 'path':
      return pathPair(prepared);
    case 'attribution':
      return guessPair(prepared);
  }
};

/** How guesses agree with what was measured. */
export const agreement = (results: readonly PairResult[]): { checked: number; correlation: number } | undefined => {
  const guessed = results.flatMap((r) => r.guess?.guessed ?? []);
  const measured = results.flatMap((r) => r.guess?.measured ?? []);
  return results.some((r) => r.guess)
    ? { checked: measured.length, correlation: correlation(guessed, measured) }
    : undefined;
};
