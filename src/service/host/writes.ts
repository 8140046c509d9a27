import { directEffects, mixed, outputMatrix, outputRow } from '../../analyses/writes/index.js';
import { bug, UsageError } from '../../base/index.js';
import { placedSites, runOrder, type KeptRun } from '../../engine/index.js';
import type { Segment } from '../../graph/index.js';
import type { Written, WritesInput, WritesResult } from '../../protocol/index.js';
import { range, toFloat32, topElements, type Tensor } from '../../tensor/index.js';
import { captureEach } from '../capture-sites.js';
import { wholeSites } from '../chosen-sites.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import { checkPositions, keptRun } from '../kept-run.js';
import { wordsOf } from '../words.js';
import type { OperationContext } from '../operation.js';
import { textOf } from '../prompts.js';

type Work = Opened & { readonly input: WritesInput; readonly run: KeptRun; readonly context: OperationContext };

/** A direction that is written, and how strongly. */
interface Direction {
  readonly by: number;
  readonly row: Float32Array;
}

const segmentOf = ({ run, input }: Work): Segment => {
  const found = run.instances.find((i) => i.name === input.block && i.segment.kind === 'block');
  if (found) return found.segment;
  throw new UsageError(`no block ${input.block} runs`, { code: 'OPTION_INVALID', hint: 'Name one such as blocks.3.' });
};

/** Values of sites of the block, by name. */
const captured = async (
  { model, prompt, run, context }: Work,
  names: readonly string[],
): Promise<Map<string, Tensor>> => {
  const wanted = wholeSites(placedSites(run.variant.order).filter((p) => names.includes(p.name)));
  const found = new Map<string, Tensor>();
  await captureEach(
    { model, prompt, variant: run.variant, wanted, context },
    ({ name, tensor }) => void found.set(name, tensor),
  );
  return found;
};

const inBlock = (work: Work, site: string): string => `${segmentOf(work).id}.${site}`;

/** The rows of the matrix behind a site, edits of weights counted, and whether they are added to the stream as they are. */
const matrixOf = async (work: Work, sites: { readonly site: string; readonly out: string }) => {
  const segment = segmentOf(work);
  const found = outputMatrix(segment.graph, { site: inBlock(work, sites.site), out: inBlock(work, sites.out) });
  const tensor = work.run.variant.weights.get(found.weight) ?? (await work.model.weights.read(found.weight));
  const data = toFloat32(tensor);
  const rowOf = (index: number): Float32Array => outputRow(data, { layout: found.layout, shape: tensor.shape }, index);
  return { rowOf, isAddedPlain: found.isAddedPlain };
};

const neuronsOf = async (work: Work): Promise<{ directions: readonly Direction[]; isPlain: boolean }> => {
  const { neurons, block, position } = work.input;
  if (neurons.length === 0) return { directions: [], isPlain: true };
  const site = `${block}.mlp.post`;
  const post = (await captured(work, [site])).get(site);
  if (!post)
    throw new UsageError(`${block} has no neurons that are read`, {
      code: 'OPTION_INVALID',
      hint: 'A mixture of experts has them by expert.',
    });
  const { rowOf, isAddedPlain } = await matrixOf(work, { site: 'mlp.post', out: 'mlp_out' });
  const width = post.shape.at(-1) ?? 0;
  const beyond = neurons.find((n) => n >= width);
  if (beyond !== undefined)
    throw new UsageError(`there is no neuron ${beyond}`, {
      code: 'OPTION_INVALID',
      hint: `They go from 0 to ${width - 1}.`,
    });
  const strengths = toFloat32(range(post, 1, [position, position + 1]));
  return { directions: neurons.map((n) => ({ by: strengths[n] ?? 0, row: rowOf(n) })), isPlain: isAddedPlain };
};

/** W_O,h · v at a key, for each that is asked for. */
const takenOf = async (work: Work): Promise<{ directions: readonly Direction[]; isPlain: boolean }> => {
  const { taken, block } = work.input;
  const directions: Direction[] = [];
  let isPlain = true;
  for (const { head, key, isCross } of taken) {
    const attn = isCross ? 'cross_attn' : 'attn';
    const name = `${block}.${attn}.v`;
    const v = (await captured(work, [name])).get(name);
    const { rowOf, isAddedPlain } = await matrixOf(work, {
      site: `${attn}.z`,
      out: isCross ? 'cross_attn_out' : 'attn_out',
    });
    if (!v) throw bug(`${name} was not captured`);
    const [, keys = 0, kvHeads = 1, width = 1] = v.shape;
    const heads = headsIn(work, inBlock(work, `${attn}.z`));
    if (head >= heads || key >= keys)
      throw new UsageError(`there is no head ${head} that looks at ${key}`, {
        code: 'OPTION_INVALID',
        hint: `${heads} heads, ${keys} tokens.`,
      });
    const from = (key * kvHeads + Math.floor(head / (heads / kvHeads))) * width;
    const values = [...toFloat32(v).subarray(from, from + width)];
    directions.push({
      by: 1,
      row: mixed(
        values.map((_, i) => rowOf(head * width + i)),
        values,
      ),
    });
    isPlain &&= isAddedPlain;
  }
  return { directions, isPlain };
};

const headsIn = ({ model }: Work, site: string): number => {
  const type = placedSites(runOrder(model.program, [])).find((p) => p.name === site)?.type;
  return Number(type?.shape[type.axes.indexOf('head')] ?? 1);
};

const lengthOf = (row: Float32Array): number => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));

const tell = async ({ model, input }: Work, { by, row }: Direction, effects: Float32Array): Promise<Written> => {
  const shown = (id: number) => ({ id, text: textOf(model, id), effect: (effects[id] ?? 0) * by });
  const all: Tensor = { dtype: 'float32', shape: [effects.length], data: effects.map((x) => x * by) };
  const best = (k: 'greatest' | 'least') => topElements(all, input.top, k).map(({ index }) => shown(index[0] ?? 0));
  return {
    ...{ by, size: Math.abs(by) * lengthOf(row), raised: best('greatest'), lowered: best('least') },
    words: (await wordsOf(model, input.words)).map(({ id }) => shown(id)),
  };
};

/** The stream behind the last layer, at the position. */
const lastStream = ({ run, input }: Work): Float32Array => {
  const { stack } = run.instances.find((i) => i.name === input.block)?.segment ?? {};
  const last = run.instances.findLast((i) => i.segment.kind === 'block' && i.segment.stack === stack);
  const stream = last && run.stream(last.name);
  if (!stream) throw bug('there is no stream behind the last layer');
  return toFloat32(range(stream, 1, [input.position, input.position + 1]));
};

const writesAt = async (opened: Opened, input: WritesInput, context: OperationContext): Promise<WritesResult> => {
  checkPositions([input.position], opened.prompt);
  const { run } = await keptRun(opened, { logits: 'none', context });
  const work: Work = { ...opened, input, run, context };
  if (segmentOf(work).stack === 'encoder')
    throw new UsageError('what an encoder writes is read as no word', {
      code: 'OPTION_INVALID',
      hint: 'Choose a layer of the decoder.',
    });
  const [neurons, taken] = [await neuronsOf(work), await takenOf(work)];
  const directions = [...neurons.directions, ...taken.directions];
  const rows = directions.map((d) => d.row);
  const effects =
    rows.length === 0 ? [] : await directEffects(opened.model, run.variant, { stream: lastStream(work), rows });
  const told = await Promise.all(directions.map((d, i) => tell(work, d, effects[i] ?? new Float32Array())));
  const isPlain = neurons.isPlain && taken.isPlain;
  return {
    neurons: told.slice(0, neurons.directions.length),
    taken: told.slice(neurons.directions.length),
    notes: isPlain ? [] : ['a norm follows before this is added to the stream: the words are of what it is before'],
  };
};

/**
 * What neurons and heads write by the direct way, as words.
 * @throws UsageError OPTION_INVALID
 */
export const writes = async (input: WritesInput, context: OperationContext): Promise<WritesResult> => {
  const result = await onEachPrompt(input, context, (opened) => writesAt(opened, input, context));
  if (Array.isArray(result)) throw bug('what is written is of one prompt');
  return result;
};
