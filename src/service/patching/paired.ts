import { attributionPatching, patchPaths, receiversOf } from '../../analyses/patching/index.js';
import { correlation, randomNumbers, type Cell, type Grid, type Metric } from '../../analyses/sweep/index.js';
import { openSweep, type Prompt, type SweepModel, type SweptRun } from '../../engine/index.js';
import type { PatchInput } from '../../protocol/index.js';
import { tokensOfText } from '../prompts.js';
import {
  cellsOf,
  ends,
  keyed,
  ledgerOf,
  patched,
  readMetric,
  sidesOf,
  sweepModel,
  type PairResult,
  type Prepared,
} from './prepared-pair.js';

/** Two prompts with all that patching one into the other needs. */
interface Sides {
  readonly base: Prompt;
  readonly other: Prompt;
  readonly swept: SweepModel;
  readonly grids: readonly Grid[];
  readonly cells: readonly Cell[];
  readonly metric: Metric;
  readonly otherMetric: Metric;
}

const sidesIn = async (p: Prepared): Promise<Sides> => {
  const { base, other } = sidesOf(p.run, p.pair);
  const swept = await sweepModel(p.run, base);
  const asked = { model: p.run.model, text: p.metric };
  return {
    ...{ base, other, swept, ...cellsOf(p, swept, base) },
    metric: await readMetric(swept, base, asked),
    otherMetric: await readMetric(swept, other, asked),
  };
};

/** Values of one prompt's run into the other's. */
export const patchPair = async (p: Prepared): Promise<PairResult> => {
  const { base, other, swept, grids, cells, metric, otherMetric } = await sidesIn(p);
  const to = { kind: 'patch', prompt: other, metric: otherMetric } as const;
  const made = await patched(p, swept, { prompt: base, cells, metric, to });
  return {
    ...{ metric: p.metric, grids, runs: made.runs, known: made.known, ...ends(p.run, made.base, made.other ?? NaN) },
    values: keyed(p, { grids, prompt: base }, made.values),
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

/** Guesses of all cells, kept in the file; those that are there already are not made again. */
const guessesOf = async (p: Prepared, { base, other, swept, cells, metric }: Sides, there: SweptRun) => {
  const ledger = ledgerOf(p, 'guess');
  const kept = cells.map((_, c) => ledger.known(c));
  if (kept.every((guess) => guess !== undefined)) return kept;
  const guesses = await attributionPatching(swept, {
    ...{ prompt: base, other: { prompt: other, run: there }, cells, expression: metric.expression },
    encode: (token) => tokensOfText(p.run.model, token),
  });
  for (const [c, guess] of guesses.entries()) await ledger.add(c, guess);
  return guesses;
};

/** What patching would give, guessed by gradients, and some of it measured. */
export const guessPair = async (p: Prepared): Promise<PairResult> => {
  const sides = await sidesIn(p);
  const { base, other, swept, grids, cells, metric, otherMetric } = sides;
  const sweep = await openSweep(swept, {
    ...{ prompt: base, changes: cells.map((c) => c.place.name), observe: metric.sites },
    ...{ positions: metric.positions, tokens: metric.tokens },
  });
  const [own, there] = [metric.of(sweep.baseRun), await sweep.other(other, { scores: otherMetric })];
  const guesses = await guessesOf(p, sides, there);
  const chosen = checkedCells(guesses, p.run.input);
  const some = chosen.flatMap((c) => cells[c] ?? []);
  const to = { kind: 'patch', prompt: other, metric: otherMetric } as const;
  const request = { prompt: base, cells: some, metric, to, draw: 'checked' };
  const none = { values: [], runs: 0, known: 0 };
  const truth = some.length === 0 ? none : await patched(p, swept, request);
  const guessed = guesses.map((g) => own + g);
  return {
    ...{ metric: p.metric, grids, runs: truth.runs + 2, known: truth.known },
    ...ends(p.run, own, otherMetric.of(there)),
    values: keyed(p, { grids, prompt: base }, guessed),
    guess: { guessed: chosen.map((c) => guesses[c] ?? NaN), measured: truth.values.map((v) => v - own) },
  };
};

/** Only what goes straight from each cell to the receivers is the other run's. */
export const pathPair = async (p: Prepared): Promise<PairResult> => {
  const { base, other, swept, grids, cells, metric, otherMetric } = await sidesIn(p);
  const { input, context, file } = p.run;
  const ledger = ledgerOf(p, 'path');
  const known = cells.filter((_, c) => ledger.known(c) !== undefined).length;
  const made = await patchPaths(swept, {
    ...{ prompt: base, senders: cells, metric, mlps: input.through === 'mlps' ? 'computed' : 'frozen' },
    ...(file ? { ledger } : {}),
    other: { prompt: other, metric: otherMetric },
    receivers: receiversOf(swept, input.receivers ?? 'logits', base),
    onProgress: (done, total) => context.progress?.({ done, total, what: 'runs along paths' }),
  });
  const runs = made.values.filter((x) => !Number.isNaN(x)).length - known;
  return {
    ...{ metric: p.metric, grids, runs, known, ...ends(p.run, made.base, made.other) },
    values: keyed(p, { grids, prompt: base }, made.values),
  };
};

/** How guesses agree with what was measured. */
export const agreement = (results: readonly PairResult[]): { checked: number; correlation: number } | undefined => {
  const guessed = results.flatMap((r) => r.guess?.guessed ?? []);
  const measured = results.flatMap((r) => r.guess?.measured ?? []);
  return results.some((r) => r.guess)
    ? { checked: measured.length, correlation: correlation(guessed, measured) }
    : undefined;
};
