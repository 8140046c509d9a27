import { mean, rowsOf } from '../../analyses/sweep/index.js';
import { UsageError } from '../../base/index.js';
import type { PatchInput, PatchResult } from '../../protocol/index.js';
import { cancelled } from '../cancel.js';
import { onEditedModel } from '../edited-model.js';
import { promptEdit } from '../experiment.js';
import { checkExport, writeExport } from '../exports/index.js';
import { notLive } from '../live/open-live.js';
import type { Operation, OperationContext } from '../operation.js';
import { patchExport } from '../patching/export.js';
import { cellKey, change, share, tellGrid } from '../patching/grid-result.js';
import { openSweepFile, requestOf } from '../patching/ledger.node.js';
import { pairsOf } from '../patching/pairs.js';
import { agreement } from '../patching/paired.js';
import type { PairResult, PatchRun } from '../patching/prepared-pair.js';
import { runPair } from '../patching/run-pair.js';
import { secondsSince } from '../prepare.js';
import { promptView } from '../prompts.js';
import { finite } from '../finite.js';

const ablations = ['zero', 'mean', 'resample'];
const paired = ['patch', 'path', 'attribution'];

/** @throws UsageError OPTION_INVALID */
const checkTogether = ({ method, window, receivers }: PatchInput): void => {
  const invalid = (message: string, hint: string) => new UsageError(message, { code: 'OPTION_INVALID', hint });
  const single = method === 'attribution' || method === 'path';
  if (single && window > 1)
    throw invalid(
      '--window changes several layers together',
      'It is for --method patch, noise, zero, mean and resample.',
    );
  if (receivers !== undefined && method !== 'path')
    throw invalid('--receivers are where paths end', 'Choose --method path with them.');
};

/** @throws UsageError METHOD_UNFIT, OPTION_INVALID for what needs more than a process gives */
const checkLive = ({ method, resume }: PatchInput): void => {
  if (method === 'path' || method === 'noise') throw notLive(`--method ${method}`);
  if (resume === undefined) return;
  throw new UsageError('a sweep of a live process is not gone on with: it may have become another model', {
    code: 'OPTION_INVALID',
    hint: 'Leave --resume out.',
  });
};

const notesOf = ({ input, pairs, fromEnd }: PatchRun, results: readonly PairResult[]): string[] => {
  const alike = results.some((r) => Math.abs(r.clean - r.corrupted) < 1e-9);
  const unequal = pairs.filter((p) => p.corrupt && p.corrupt.ids.length !== p.prompt.ids.length).length;
  return [
    ...(alike ? ['the metric is the same in both runs of a pair: shares of nothing mean nothing'] : []),
    ...(unequal > 0
      ? [
          `${unequal === 1 ? 'a pair differs' : `${unequal} pairs differ`} in length: patched is what both begin and end with alike`,
        ]
      : []),
    ...(fromEnd ? ['texts of different length: positions are counted from the end, as in the first text'] : []),
    ...(input.method === 'attribution' ? ['these are guesses by gradients, not measured effects'] : []),
  ];
};

const resultOf = async (run: PatchRun, results: readonly PairResult[], since: number): Promise<PatchResult> => {
  const { input, pairs, model, fromEnd } = run;
  const [first, pair] = [results[0] as PairResult, pairs[0]];
  const ablated = ablations.includes(input.method);
  const base =
    pair &&
    (input.direction === 'denoise' && paired.includes(input.method) ? (pair.corrupt ?? pair.prompt) : pair.prompt);
  const length = fromEnd ? base?.ids.length : undefined;
  const notes = notesOf(run, results);
  const guess = agreement(results);
  const grids = first.grids.map((grid) =>
    tellGrid(grid, {
      ...{ pairs: results, effect: ablated ? change : share, seed: input.seed },
      keyOf: (kind, cell) => cellKey(kind, cell, length),
      tokensOf: ({ place }) => (rowsOf(place).isSource ? base?.source : base)?.tokens ?? [],
    }),
  );
  return {
    model: await model.summary(),
    tokens: pair ? promptView(pair.prompt).tokens : [],
    ...(pair?.corrupt ? { corruptTokens: promptView(pair.corrupt).tokens } : {}),
    method: input.method,
    ...(paired.includes(input.method) ? { direction: input.direction } : {}),
    ...(first.sigma === undefined ? {} : { sigma: first.sigma }),
    ...{ metric: first.metric, pairs: results.length },
    ...(results.every((r) => r.metric === first.metric) ? {} : { metrics: results.map((r) => r.metric) }),
    ...{ clean: finite(mean(results.map((r) => r.clean))), corrupted: finite(mean(results.map((r) => r.corrupted))) },
    ...{ effect: ablated ? 'change' : 'share', grids },
    ...(guess ? { guess: { checked: guess.checked, correlation: finite(guess.correlation) } } : {}),
    runs: results.reduce((sum, r) => sum + r.runs, 0),
    known: results.reduce((sum, r) => sum + r.known, 0),
    seconds: secondsSince(since),
    ...(notes.length > 0 ? { notes } : {}),
  };
};

const runAll = async (run: PatchRun, context: OperationContext): Promise<readonly PairResult[]> => {
  const results: PairResult[] = [];
  for (const at of run.pairs.keys()) {
    context.poll?.();
    if (context.signal.aborted) throw cancelled();
    results.push(await runPair(run, at).finally(() => run.file?.flush()));
    if (run.pairs.length > 1) context.progress?.({ done: at + 1, total: run.pairs.length, what: 'pairs' });
  }
  return results;
};

/** Causal tests: what becomes of a number when a part of the model has other values. */
export const patch: Operation<PatchInput, PatchResult> = {
  name: 'patch',
  help: 'Patches activations: runs a prompt again and again, each time with another part of the model (a site at a layer, position, head or neuron) changed to what it is in another prompt’s run, to noise, zero or a mean, and tells what becomes of a number.',
  async run(input, context) {
    const since = performance.now();
    checkTogether(input);
    await checkExport(input.out);
    const result = await onEditedModel({ ...input, live: true, manyForms: true }, context, async ({ model, edits }) => {
      if (model.live) checkLive(input);
      const prompt = promptEdit(edits);
      const pairs = await pairsOf(model, prompt === undefined ? input : { ...input, prompt });
      const fromEnd = new Set(pairs.map((p) => p.prompt.ids.length)).size > 1;
      const begun = { model, edits, input, context, pairs, fromEnd };
      const file =
        input.resume === undefined ? undefined : await openSweepFile(input.resume, await requestOf(begun, input));
      const run: PatchRun = { ...begun, file };
      return resultOf(run, await runAll(run, context), since);
    });
    await writeExport(input.out, patchExport(result), context);
    return result;
  },
};
