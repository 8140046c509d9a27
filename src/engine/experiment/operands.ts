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
import { selectedIndices, sequenceAt, type Operand } from './value-edits.js';

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

/** The selected part of a site in another prompt's run; its shape must be that of the part it replaces. */
const fromPrompt = async (
  context: ExperimentContext,
  place: PlacedSite,
  { where, prompt, shown }: { where: Where; prompt: Prompt; shown: string },
): Promise<Operand> => {
  const tensor = await valueIn(context, prompt, place);
  const lookup = place.type.axes.map((axis): Lookup => (axis === 'batch' ? 'same' : 'index'));
  const target = { shown, type: place.type, where };
  const there = selectedIndices(target, tensor.shape, sequenceAt(sequenceOf(prompt), place.instance.segment.stack));
  const ownShape = shapeAt(place, context.prompt);
  const here = selectedIndices(target, ownShape, sequenceAt(context.sequence, place.instance.segment.stack));
  const [source, own] = [tensor.shape, ownShape].map((shape, i) =>
    shape.map((n, a) => (i === 0 ? there : here)[a]?.length ?? n),
  );
  if (source?.join() !== own?.join())
    throw new UsageError(
      `${shown} has shape [${own?.join(', ') ?? ''}] here and [${source?.join(', ') ?? ''}] in the other prompt`,
      {
        code: 'EDIT_INVALID',
        hint: 'Select as many positions in both, such as [position=-1], or give a prompt of as many tokens.',
      },
    );
  return { kind: 'source', source: { tensor: selected(tensor, there, lookup), lookup } };
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
  if ('prompt' in to) return fromPrompt(context, place, { where, prompt: await context.encode(to.prompt), shown });
  throw new UsageError('values from a recording cannot be read yet', {
    code: 'EDIT_INVALID',
    hint: 'Use `from prompt "..."`; recordings come in a later version.',
  });
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
