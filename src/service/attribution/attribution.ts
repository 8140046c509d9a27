import { faithfulness, normalized, residual, type Curve } from '../../analyses/attribution/index.js';
import { prepareExperiment } from '../../engine/index.js';
import type { AttributedRow, AttributeInput, AttributeResult, FaithfulnessCurve } from '../../protocol/index.js';
import { checkpoints } from '../cancel.js';
import type { Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OperationContext } from '../operation.js';
import { notLive } from '../live/open-live.js';
import { promptView } from '../prompts.js';
import { explanationOf, type Explained } from './explained.js';
import { gameOf, removable, ways, type Asked, type Told } from './methods.js';
import type { TextModel } from './text-model.js';
import { unitsOf } from './units.js';
import { finite } from '../finite.js';

/** Orders of chance that a single number's curves are compared with. */
const randomOrders = 5;

const curveOf = ({ shares, values, auc, randomAuc }: Curve): FaithfulnessCurve => ({
  shares: [...shares],
  values: values.map(finite),
  auc: finite(auc),
  ...(randomAuc === undefined ? {} : { random: finite(randomAuc) }),
});

/** Curves of one number, where anything can be left out. */
const curvesOf = async (asked: Asked, row: Explained, { told, alone }: { told: Told; alone: boolean }) => {
  const { input } = asked;
  const places = removable(asked, row);
  if (!input.faithfulness || places.length === 0) return {};
  const scores = places.map((i) => told.scores[i] ?? 0);
  const options = { points: input.points, randomOrders: alone ? randomOrders : 0, seed: input.seed };
  const found = await faithfulness(gameOf(asked, row), scores, options);
  return { faithfulness: { deletion: curveOf(found.deletion), insertion: curveOf(found.insertion) } };
};

/** Texts that curves compute, about. */
const curveTexts = (asked: Asked, row: Explained, alone: boolean): number => {
  if (!asked.input.faithfulness) return 0;
  return 2 * Math.min(asked.input.points, removable(asked, row).length) * (alone ? randomOrders + 1 : 1);
};

const scoresOf = ({ scores }: Told, by: AttributeInput['normalize']): (number | null)[] => {
  const there = scores.flatMap((s) => (s === null ? [] : [s]));
  const all = [...normalized(there, by)];
  return scores.map((s) => (s === null ? null : finite(all.shift() ?? NaN)));
};

const rowOf = (row: Explained, told: Told, by: AttributeInput['normalize']): AttributedRow => {
  const there = { ...told, scores: told.scores.map((s) => s ?? 0), errors: [] };
  const rest = residual(there);
  return {
    of: row.text,
    ...(row.position === undefined ? {} : { position: row.position }),
    ...(row.token ? { token: row.token } : {}),
    value: finite(told.value),
    ...(told.baseline === undefined ? {} : { baseline: finite(told.baseline) }),
    ...(rest === undefined ? {} : { residual: finite(rest) }),
    scores: scoresOf(told, by),
    ...(told.errors && by === 'none' ? { errors: told.errors.map((e) => (e === null ? null : finite(e))) } : {}),
    ...(told.r2 === undefined ? {} : { r2: finite(told.r2) }),
  };
};

/** A path that is read too coarsely, or runs through a place where the number jumps. */
const coarse = ({ method }: AttributeInput, rows: readonly AttributedRow[]): readonly string[] => {
  if (method !== 'integrated-gradients') return [];
  const off = rows.filter(({ residual: rest, value, baseline }) => {
    const change = Math.abs((value ?? NaN) - (baseline ?? NaN));
    return Math.abs(rest ?? 0) > 0.1 * change;
  });
  if (off.length === 0) return [];
  const which = rows.length === 1 ? 'the scores' : `the scores of ${off.length} of ${rows.length} rows`;
  return [
    `${which} are far from adding up to the change of the number: take more --steps, or where the model norms its embeddings by their size, as Llama and T5 do, a path from a token, --baseline TOKEN`,
  ];
};

/** Tells how many texts of all are computed. */
const counter = (context: OperationContext, total: number): ((count: number) => void) => {
  let done = 0;
  return (count) => {
    done = Math.min(total, done + count);
    context.progress?.({ done, total, what: 'texts computed' });
  };
};

/** Methods that need relevance's way back through our graph, or attention's weights in it. */
const ownMethods: ReadonlySet<string> = new Set(['lrp', 'attention-rollout', 'attention-flow', 'attention-gradient']);

/** What the tokens of a prompt have to do with a number of it. */
export const attribution = async (
  opened: Opened,
  input: AttributeInput,
  context: OperationContext,
): Promise<AttributeResult> => {
  const { model, edits } = opened;
  if (model.live && ownMethods.has(input.method)) throw notLive(`--method ${input.method}`);
  const { prompt, rows, notes: own } = await explanationOf(opened, input, context);
  const live = await model.live?.edited(edits);
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), live ? [] : edits);
  const base: Omit<TextModel, 'onTexts'> = {
    ...{ model, variant, prompt, onSegment: checkpoints(context), maxBytes: input.maxBytes },
    ...(live ? { live } : {}),
  };
  const units = unitsOf(model, prompt, input);
  const silent: Asked = { text: { ...base, onTexts: () => undefined }, units, input };
  const way = ways[input.method];
  const alone = rows.length === 1;
  const total = rows.reduce((sum, row) => sum + way.texts(silent, row) + curveTexts(silent, row, alone), 0);
  const asked: Asked = { ...silent, text: { ...base, onTexts: counter(context, total) } };
  const told = await way.run(asked, rows);
  const [first] = rows;
  const results: AttributedRow[] = [];
  for (const [i, row] of rows.entries()) {
    const one = told[i];
    if (one)
      results.push({ ...rowOf(row, one, input.normalize), ...(await curvesOf(asked, row, { told: one, alone })) });
  }
  const said = [...model.notes, ...own, ...notes, ...coarse(input, results)];
  for (const note of said.slice(model.notes.length)) context.note(note);
  return {
    model: await model.summary(),
    ...{ method: input.method, normalize: input.normalize, settings: first ? way.settings(asked, first) : {} },
    ...promptView(prompt),
    units: units.map(({ rows: _, ...unit }) => ({ ...unit, positions: [...unit.positions] })),
    rows: results,
    ...(said.length > 0 ? { notes: [...new Set(said)] } : {}),
  };
};
