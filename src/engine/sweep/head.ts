import { bug } from '../../base/index.js';
import { carried, columnsInput, isRowwise, type ModelFacts } from '../../graph/index.js';
import { concat, int64From, range, take, type Tensor } from '../../tensor/index.js';
import { asFloat32 } from '../run/as-float32.js';
import type { Form } from '../run/compiled.js';
import type { Instance } from '../run/order.js';
import type { LiveEdit } from '../run/request.js';
import { makeRows } from '../run/rows.js';
import { batchedEdits, type Change } from './change.js';
import { rowsFrom, type BaseRun } from './base-run.js';
import { feedsOf, SharedInputs } from './feeds.js';
import { usualForm, type SweepModel } from './model.js';
import type { SweptSite } from './places.js';

/** The head of a run order. */
export const headOf = ({ variant }: SweepModel): Instance => {
  const head = variant.order.find((i) => i.segment.kind === 'head');
  if (!head) throw bug('the model has no head');
  return head;
};

/** Whether rows can be scored by themselves: nothing in the head looks from one to another, and no edit counts rows. */
export const scoresRows = (model: SweepModel): boolean => {
  const head = headOf(model);
  const shares = head.segment.graph.inputs.some(({ name }) => Object.hasOwn(model.program.inputs, name));
  return !shares && isRowwise(head.segment.graph) && (model.variant.edits.get(head.name) ?? []).length === 0;
};

interface HeadRun {
  readonly stream: Tensor;
  readonly rows: SharedInputs['rows'];
  readonly tokens?: readonly number[] | undefined;
  readonly changes?: readonly (readonly Change[])[];
  readonly sites?: ReadonlyMap<string, SweptSite>;
}

/** Changes inside the head, as edits of its graph. */
const innerEdits = ({ changes = [], sites }: HeadRun): readonly LiveEdit[] => {
  const named = [...new Set(changes.flat().map((c) => c.site))].sort();
  return named.flatMap((name, i) => {
    const swept = sites?.get(name);
    if (!swept) throw bug(`${name} is not among the sites of the sweep`);
    const own = changes.map((list) => list.filter((c) => c.site === name));
    return batchedEdits({ site: swept.place.site.name, type: swept.type, tag: `change${i}` }, own);
  });
};

const run = async (model: SweepModel, asked: HeadRun): Promise<Tensor> => {
  const { stream, rows, tokens } = asked;
  const head = headOf(model);
  const { variant } = model;
  const inner = innerEdits(asked);
  const usual = usualForm(head, variant);
  const whole: Form = { ...usual, edits: [...usual.edits, ...inner.map((e) => e.edit)], taps: [] };
  const form: Form = tokens ? { ...whole, columns: 'chosen' } : whole;
  const { graph, executable } = await model.compilations.get(head.segment, form);
  const edits = [...(variant.edits.get(head.name) ?? []), ...inner];
  const given = (name: string): Tensor | undefined => {
    if (name === columnsInput) return tokens && int64From([tokens.length], tokens);
    return name === carried ? stream : undefined;
  };
  const feeds = feedsOf({
    instance: head,
    graph,
    variant,
    edits,
    shared: new SharedInputs(model.program, rows),
    given,
  });
  const logits = (await executable.run(feeds, ['logits'])).get('logits');
  if (!logits) throw bug('the head gave no logits');
  return logits;
};

/**
 * The tokens and some more: a product with fewer columns than the weight has rows would be summed in another order.
 * Undefined where the vocabulary is not much larger than that.
 */
const columnsFor = (tokens: readonly number[], { vocab, modelDim }: ModelFacts): readonly number[] | undefined => {
  const count = Math.max(tokens.length, modelDim);
  return 2 * count > vocab ? undefined : Array.from({ length: count }, (_, i) => tokens[i] ?? tokens[0] ?? 0);
};

/**
 * Scores of rows of the stream, each by itself.
 * @param stream [1, row, model]
 * @param tokens whose scores are wanted; undefined: all
 * @returns a row of scores for each
 */
export const scoreAlone = async (
  model: SweepModel,
  stream: Tensor,
  tokens?: readonly number[],
): Promise<readonly Float32Array[]> => {
  const count = stream.shape[1] ?? 0;
  // A product of one row would take another kernel.
  const padded = count === 1 ? concat([stream, stream], 1) : stream;
  const rows = makeRows({ ids: [new Array<number>(padded.shape[1] ?? 0).fill(0)], past: 0, step: 0 });
  const columns = tokens && columnsFor(tokens, model.program.facts);
  const all = rowsOf(asFloat32(await run(model, { stream: padded, rows, tokens: columns }))).slice(0, count);
  if (!tokens) return all;
  return all.map((row) => (columns ? row.slice(0, tokens.length) : Float32Array.from(tokens, (id) => row[id] ?? NaN)));
};

const rowsOf = ({ data, shape }: Tensor<'float32'>): Float32Array[] => {
  const width = shape.at(-1) ?? 1;
  return Array.from({ length: data.length / width }, (_, i) => data.subarray(i * width, (i + 1) * width));
};

/** What variants need of the head where rows cannot be scored alone, or something changes inside it. */
export interface WholeScores {
  readonly base: BaseRun;
  readonly sites: ReadonlyMap<string, SweptSite>;
  /** [variant] of the stream before the head, all rows: [1, position, model]. */
  readonly streams: readonly Tensor[];
  /** [variant] of changes inside the head. */
  readonly changes: readonly (readonly Change[])[];
}

/** @returns [variant][position] rows of scores; of a classifier one row of labels. */
export const scoreWhole = async (
  model: SweepModel,
  { base, sites, streams, changes }: WholeScores,
): Promise<readonly (readonly Float32Array[])[]> => {
  const rows = rowsFrom(base.prompt, 0, streams.length);
  const logits = asFloat32(await run(model, { stream: concat(streams, 0), rows, changes, sites }));
  return streams.map((_, b) => rowsOf(range(logits, 0, [b, b + 1])));
};

/** Some rows of a stream. */
export const someRows = (stream: Tensor, rows: readonly number[]): Tensor => take(stream, 1, rows);
