import { UsageError } from '../../base/index.js';
import { readRow } from '../../formats/index.js';
import { shapeOf } from '../../graph/index.js';
import type { AddEdit, Direction, FileTensor, SetEdit, Where } from '../../language/index.js';
import { concat, take, type Tensor } from '../../tensor/index.js';
import { extentsFor } from '../run/captured-bytes.js';
import { forward } from '../run/forward.js';
import { runOrder } from '../run/order.js';
import { sequenceOf, type ExperimentContext, type Prompt } from './context.js';
import type { PlacedSite } from './sites.js';
import { meanOver, type Lookup } from './source.js';
import { selectedIndices, sequenceAt, type Operand, type Sequence } from './value-edits.js';

/** A site's value in the unedited run of a prompt. */
const valueIn = async (context: ExperimentContext, prompt: Prompt, place: PlacedSite): Promise<Tensor<'float32'>> => {
  const { name } = place.site;
  const model = context.unedited();
  const { sites } = await forward(model, {
    variant: { order: runOrder(model.program, []), edits: new Map(), weights: new Map() },
    ids: [prompt.ids],
    ...(prompt.source ? { source: [prompt.source.ids] } : {}),
    capture: new Set([name]),
    logits: 'none',
  });
  return sites.get(name) as Tensor<'float32'>;
};

const shapeAt = (place: PlacedSite, { ids, source }: Prompt): number[] =>
  shapeOf(place.type, extentsFor(1, ids.length, source?.ids.length));

const perPosition = new Set(['batch', 'position', 'query']);

const selected = (
  tensor: Tensor<'float32'>,
  indices: readonly (readonly number[] | undefined)[],
  lookup: readonly Lookup[],
): Tensor<'float32'> => indices.reduce((t, list, a) => (list && lookup[a] === 'index' ? take(t, a, list) : t), tensor);

/** A value of another run, and what selectors are resolved against there. */
interface Elsewhere {
  readonly tensor: Tensor<'float32'>;
  /** Extents of the whole value, of which `tensor` may be a part. */
  readonly shape: readonly number[];
  readonly sequence: Sequence;
  /** Rows of the tensor that indices of the whole value are in, along an axis. */
  readonly rows: (axis: string, indices: readonly number[] | undefined) => readonly number[] | undefined;
  /** For messages: `the other prompt`. */
  readonly named: string;
}

const lengthsOf = (shape: readonly number[], indices: readonly (readonly number[] | undefined)[]): readonly number[] =>
  shape.map((n, a) => indices[a]?.length ?? n);

/** The selected part of a site in another run; its shape must be that of the part it replaces. */
const fromElsewhere = (
  context: ExperimentContext,
  place: PlacedSite,
  { where, other, shown }: { where: Where; other: Elsewhere; shown: string },
): Operand => {
  const { type } = place;
  const lookup = type.axes.map((axis): Lookup => (axis === 'batch' ? 'same' : 'index'));
  const target = { shown, type, where };
  const there = selectedIndices(target, other.shape, other.sequence);
  const ownShape = shapeAt(place, context.prompt);
  const here = selectedIndices(target, ownShape, sequenceAt(context.sequence, place.instance.segment.stack));
  const [source, own] = [lengthsOf(other.shape, there), lengthsOf(ownShape, here)];
  if (source.join() !== own.join())
    throw new UsageError(`${shown} has shape [${own.join(', ')}] here and [${source.join(', ')}] in ${other.named}`, {
      code: 'EDIT_INVALID',
      hint: 'Select as many positions in both, such as [position=-1], or give a prompt of as many tokens.',
    });
  const rows = type.axes.map((axis, a) => other.rows(axis, there[a]));
  return { kind: 'source', source: { tensor: selected(other.tensor, rows, lookup), lookup } };
};

const fromPrompt = async (context: ExperimentContext, place: PlacedSite, text: string): Promise<Elsewhere> => {
  const prompt = await context.encode(text);
  const tensor = await valueIn(context, prompt, place);
  const sequence = sequenceAt(sequenceOf(prompt), place.instance.segment.stack);
  return { tensor, shape: tensor.shape, sequence, rows: (_, indices) => indices, named: 'the other prompt' };
};

const notRecorded = (shown: string, axis: string, file: string): UsageError =>
  new UsageError(`${file} has only a part of ${shown} along ${axis}, and the edit takes another`, {
    code: 'SITE_NOT_CAPTURED',
    hint: 'Choose in the edit what was recorded, or record the whole site.',
  });

/** Both runs must have as many axes: the shapes of another family's value may not. */
const fromRecording = async (
  context: ExperimentContext,
  place: PlacedSite,
  { file, shown }: { file: string; shown: string },
): Promise<Elsewhere> => {
  const value = await context.readRecorded(file, [place.name, place.site.name]);
  const { tensor, shape, indices } = value;
  if (shape.length !== place.type.axes.length)
    throw new UsageError(
      `${shown} has ${place.type.axes.length} axes here and shape [${shape.join(', ')}] in ${file}`,
      { code: 'EDIT_INVALID', hint: 'Take the value from a recording of the same kind of model.' },
    );
  const rows: Elsewhere['rows'] = (axis, wanted) => {
    const kept = Object.hasOwn(indices, axis) ? indices[axis] : undefined;
    if (!kept) return wanted;
    const whole = shape[place.type.axes.indexOf(axis)] ?? 0;
    const all = wanted ?? Array.from({ length: whole }, (_, i) => i);
    const places = new Map(kept.map((index, row) => [index, row]));
    const found = all.flatMap((index) => places.get(index) ?? []);
    if (found.length < all.length) throw notRecorded(shown, axis, file);
    return found;
  };
  const sequence = sequenceAt(value.sequence, place.instance.segment.stack);
  return { tensor, shape, sequence, rows, named: file };
};

/** The mean of a site over batch and positions of unedited runs. */
const meanOf = async (
  context: ExperimentContext,
  place: PlacedSite,
  { where, prompts, shown }: { where: Where; prompts: readonly Prompt[]; shown: string },
): Promise<Operand> => {
  const { axes } = place.type;
  if (prompts.length > 1 && (axes.includes('key') || axes.includes('source')))
    throw new UsageError(`a mean of ${shown} over several prompts has no meaning: its keys differ`, {
      code: 'EDIT_INVALID',
      hint: 'Take the mean of this prompt (`mean`), or of a site without an axis `key` or `source`.',
    });
  const values: Tensor<'float32'>[] = [];
  for (const prompt of prompts) values.push(await valueIn(context, prompt, place));
  const along = axes.indexOf(axes.includes('position') ? 'position' : 'query');
  const tensor = meanOver(
    values.length === 1 ? (values[0] as Tensor<'float32'>) : concat(values, along),
    axes.flatMap((a, i) => (perPosition.has(a) ? [i] : [])),
  );
  const lookup = axes.map((axis): Lookup => (perPosition.has(axis) ? 'same' : 'index'));
  const shape = shapeAt(place, context.prompt);
  const sequence = sequenceAt(context.sequence, place.instance.segment.stack);
  const indices = selectedIndices({ shown, type: place.type, where }, shape, sequence);
  return { kind: 'source', source: { tensor: selected(tensor, indices, lookup), lookup } };
};

/** What a `set` edit puts in the site's place. */
export const setOperand = async (context: ExperimentContext, place: PlacedSite, edit: SetEdit): Promise<Operand> => {
  const { to, where = {} } = edit;
  const shown = edit.site;
  if (typeof to === 'number') return { kind: 'number', value: to };
  if (to === 'zero') return { kind: 'number', value: 0 };
  if (to === 'mean') return meanOf(context, place, { where, prompts: [context.prompt], shown });
  if ('mean' in to) return meanOf(context, place, { where, prompts: await context.readPrompts(to.mean), shown });
  const other =
    'prompt' in to
      ? await fromPrompt(context, place, to.prompt)
      : await fromRecording(context, place, { file: to.recording, shown });
  return fromElsewhere(context, place, { where, other, shown });
};

const unit = (x: Float32Array): Float32Array => {
  const norm = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
  return norm === 0 ? x : x.map((v) => v / norm);
};

const directionVector = async (context: ExperimentContext, direction: Direction): Promise<Float32Array> => {
  const { embedding, unembedding, output } = context.program.facts;
  if (output === 'labels' && direction.in !== 'embed')
    throw new UsageError('a classifier scores labels, not words: it has no directions between the scores of words', {
      code: 'EDIT_INVALID',
      hint: 'Take the direction between the rows that embed the words: direction("a" - "b" in embed).',
    });
  const table = direction.in === 'embed' ? embedding : unembedding;
  const plus = await readRow(context.weights, table, await context.tokenId(direction.plus));
  const minus = await readRow(context.weights, table, await context.tokenId(direction.minus));
  return unit(plus.map((x, i) => x - (minus[i] ?? 0)));
};

const isFile = (vector: Direction | FileTensor): vector is FileTensor => 'file' in vector;

/** What an `add` edit adds: the vector, times the number. */
export const addOperand = async (context: ExperimentContext, edit: AddEdit): Promise<Operand> => {
  const { vector, by } = edit;
  const values = isFile(vector) ? (await context.readVector(vector)).data : await directionVector(context, vector);
  return { kind: 'vector', values: values.map((x) => x * by) };
};
