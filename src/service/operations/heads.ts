import { wholeSites } from '../chosen-sites.js';
import { headKinds, kindSum, meanShare, type HeadKind, type KindSum } from '../../analyses/heads/index.js';
import { forward, isFrozenLinear, prepareExperiment, type Prompt, type Variant } from '../../engine/index.js';
import { carried } from '../../graph/index.js';
import type { HeadsInput, HeadsResult, HeadTold } from '../../protocol/index.js';
import { float32, range, toFloat32, type Tensor } from '../../tensor/index.js';
import { checkpoints } from '../cancel.js';
import { copyingOf, type Copying, type Samples } from '../circuits/copying.js';
import { drawnPrompts } from '../circuits/drawn-prompts.js';
import { attentionLayers, type AttentionLayer } from '../circuits/head-places.js';
import { scoresSite } from '../circuits/scores-site.js';
import { onEditedModel, type EditedModel } from '../edited-model.js';
import { contextFor, promptEdit } from '../experiment.js';
import { headsExport } from '../circuits/head-export.js';
import { checkExport, writeExport } from '../exports/index.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { predictBytes } from '../predict-bytes.js';
import { promptsOf } from '../prompts.js';
import { finite } from '../finite.js';

/** Tokens by which it is tried what heads copy. */
const mostSamples = 16;
/** From this share of attention on a head is of a kind that reads the text … */
const reading = 0.25;
/** … and from this on of a kind where it rests: most of what it gives there is given whatever the text. */
const resting = 0.5;

interface Looked {
  readonly variant: Variant;
  readonly layers: readonly AttentionLayer[];
  /** By layer, head and kind. */
  readonly sums: ReadonlyMap<string, readonly Readonly<Record<HeadKind, KindSum[]>>[]>;
  readonly samples: Samples;
  readonly notes: readonly string[];
}

const noSums = (): Record<HeadKind, KindSum[]> => ({
  previous: [],
  next: [],
  current: [],
  first: [],
  duplicate: [],
  induction: [],
});

/** Tokens that were not there before, with the stream after the first block. */
const samplesOf = (stream: Tensor | undefined, ids: readonly number[], had: number): Samples => {
  const places = ids.flatMap((id, i) => (i > 0 && ids.indexOf(id) === i ? [i] : [])).slice(0, mostSamples - had);
  const width = stream?.shape.at(-1) ?? 0;
  const data = new Float32Array(places.length * width);
  if (stream) places.forEach((p, i) => data.set(toFloat32(range(stream, 1, [p, p + 1])), i * width));
  return { ids: places.map((p) => ids[p] ?? 0), rows: float32([1, places.length, width], data) };
};

const joined = (a: Samples | undefined, b: Samples): Samples => {
  if (!a) return b;
  const data = new Float32Array([...a.rows.data, ...b.rows.data]);
  return { ids: [...a.ids, ...b.ids], rows: float32([1, a.ids.length + b.ids.length, a.rows.shape[2] ?? 0], data) };
};

/** Adds up, over prompts, where each head looks. */
const look = async (
  model: OpenModel,
  { prompts, edits }: { prompts: readonly Prompt[]; edits: Parameters<typeof prepareExperiment>[1] },
  context: OperationContext,
): Promise<Looked> => {
  const [first] = prompts;
  if (!first) throw new RangeError('no prompts');
  const { variant: plain } = await prepareExperiment(contextFor(model, first, 0), edits);
  const layers = attentionLayers(plain.order);
  const sums = new Map(layers.map((l) => [l.layer, Array.from({ length: l.heads }, noSums)]));
  const block = plain.order.find((i) => i.segment.kind === 'block' && i.segment.stack !== 'encoder');
  const after = block ? `${block.segment.id}.resid_post` : undefined;
  let samples: Samples | undefined;
  const notes = new Set<string>();
  for (const [p, prompt] of prompts.entries()) {
    context.progress?.({ done: p, total: prompts.length, what: 'sequences looked at' });
    const { variant, notes: told } = await prepareExperiment(contextFor(model, prompt, 0), edits);
    for (const text of told) notes.add(text);
    predictBytes(wholeSites(layers.map((l) => l.pattern)), prompt, { maxBytes: undefined });
    const { sites } = await forward(model, {
      ...{ variant, ids: [prompt.ids], logits: 'none', onSegment: checkpoints(context) },
      ...(prompt.source ? { source: [prompt.source.ids] } : {}),
      capture: new Set([...layers.map((l) => l.pattern.name), ...(after === undefined ? [] : [after])]),
    });
    for (const layer of layers)
      addPatterns(sums.get(layer.layer) ?? [], layer, { prompt, pattern: sites.get(layer.pattern.name) });
    samples = joined(samples, samplesOf(sites.get(after ?? ''), prompt.ids, samples?.ids.length ?? 0));
  }
  return { variant: plain, layers, sums, samples: samples as Samples, notes: [...notes] };
};

const addPatterns = (
  sums: readonly Record<HeadKind, KindSum[]>[],
  layer: AttentionLayer,
  { prompt, pattern }: { prompt: Prompt; pattern: Tensor | undefined },
): void => {
  const ids = layer.stack === 'encoder' ? (prompt.source?.ids ?? prompt.ids) : prompt.ids;
  const all = pattern ? toFloat32(pattern) : new Float32Array();
  const size = ids.length ** 2;
  sums.forEach((own, h) => {
    for (const kind of headKinds) own[kind].push(kindSum({ data: all.subarray(h * size, (h + 1) * size), ids }, kind));
  });
};

const kindOf = (shares: Readonly<Record<HeadKind, number>>): Pick<HeadTold, 'kind'> => {
  const best = (kinds: readonly HeadKind[], least: number): HeadKind | undefined => {
    const [first] = kinds.filter((k) => shares[k] >= least).sort((a, b) => shares[b] - shares[a]);
    return first;
  };
  const kind = best(['previous', 'next', 'duplicate', 'induction'], reading) ?? best(['first', 'current'], resting);
  return kind === undefined ? {} : { kind };
};

const toldHead = (
  layer: AttentionLayer,
  head: number,
  { shares, copying }: { shares: Readonly<Record<HeadKind, number>>; copying: Copying | undefined },
): HeadTold => {
  return {
    ...{ name: `${layer.layer}.${head}`, layer: layer.layer, head },
    ...kindOf(shares),
    ...{ previous: finite(shares.previous), next: finite(shares.next), current: finite(shares.current) },
    ...{ first: finite(shares.first), duplicate: finite(shares.duplicate), induction: finite(shares.induction) },
    copying: finite(copying?.score ?? NaN),
    copies: finite(copying?.up ?? NaN),
    suppresses: finite(copying?.down ?? NaN),
  };
};

const sees = (bidirectional: boolean, shares: Record<HeadKind, number>): Record<HeadKind, number> =>
  bidirectional ? shares : { ...shares, next: NaN };

/** Layers whose heads write what is scored: not an encoder's beside a decoder. */
const writing = (layers: readonly AttentionLayer[]): readonly AttentionLayer[] =>
  layers.filter((l) => l.stack !== 'encoder');

const headsOf = async (
  { model, edits }: EditedModel,
  input: HeadsInput,
  context: OperationContext,
): Promise<HeadsResult> => {
  const given =
    [input.prompt, input.ids, input.prompts, input.chat].some((x) => x !== undefined) ||
    promptEdit(edits) !== undefined;
  const prompts = given ? await promptsOf(model, input, promptEdit(edits)) : await drawnPrompts(model, input);
  const { variant, layers, sums, samples, notes } = await look(model, { prompts, edits }, context);
  const linear =
    model.program.facts.output !== 'labels' &&
    isFrozenLinear({ segment: scoresSite(model.program), from: carried, to: 'logits' });
  const copying =
    input.copying && linear && samples.ids.length > 0
      ? await copyingOf(model, { variant, layers: writing(layers), samples }, context)
      : undefined;
  const heads = layers.flatMap((layer) =>
    (sums.get(layer.layer) ?? []).map((own, head) => {
      const shares = Object.fromEntries(headKinds.map((kind) => [kind, meanShare(own[kind])])) as Record<
        HeadKind,
        number
      >;
      const both = layer.stack === 'encoder' || model.program.facts.output !== 'next';
      return toldHead(layer, head, { shares: sees(both, shares), copying: copying?.get(layer.layer)?.[head] });
    }),
  );
  const untold = 'what heads copy is not told: an activation stands between stream and scores';
  const told = [...notes, ...(input.copying && !linear ? [untold] : [])];
  for (const note of told) context.note(note);
  return {
    ...{ model: await model.summary(), sequences: prompts.length },
    ...(given ? {} : { drawn: { seed: input.seed, length: input.length } }),
    heads,
    ...(told.length > 0 ? { notes: told } : {}),
  };
};

/** What each head does, by where it looks and what it copies. */
export const heads: Operation<HeadsInput, HeadsResult> = {
  name: 'heads',
  help: 'Which heads do what: how much of each head’s attention goes to the previous token, to the first, to an earlier same token, and to what came after that (induction), on random tokens said twice or on given prompts; and whether what it writes copies what it reads.',
  async run(input, context) {
    await checkExport(input.out);
    const result = await onEditedModel(input, context, (opened) => headsOf(opened, input, context));
    await writeExport(input.out, headsExport(result), context);
    return result;
  },
};
