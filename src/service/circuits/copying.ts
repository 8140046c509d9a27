import { copies, type Copies } from '../../analyses/heads/index.js';
import { copyingScore } from '../../analyses/circuits/index.js';
import { allTokenRows, Products, type FrozenPart, type Variant } from '../../engine/index.js';
import { concat, float32, range, type Tensor } from '../../tensor/index.js';
import { checkpoints } from '../cancel.js';
import { freeMemoryBytes } from '../machine.node.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { kvHeadOf, type AttentionLayer } from './head-places.js';
import { outputPart, outputRows, scorePart, unitRows, valuePart } from './layer-parts.js';

/** What a head copies. */
export interface Copying extends Copies {
  /** Σ Re λ / Σ |λ|; NaN where it was not computed. */
  readonly score: number;
}

/** Tokens, and what the stream is at them after the first block. */
export interface Samples {
  readonly ids: readonly number[];
  /** [1, row, model] */
  readonly rows: Tensor<'float32'>;
}

interface Work {
  readonly model: OpenModel;
  readonly variant: Pick<Variant, 'weights'>;
  readonly scores: FrozenPart;
  readonly context: OperationContext;
}

/** Rows of scores that are in memory at once, in numbers. */
const mostScores = 2 ** 24;

const inParts = async (
  count: number,
  { vocab }: { readonly vocab: number },
  work: (from: number, to: number) => Promise<void>,
): Promise<void> => {
  const each = Math.max(1, Math.floor(mostScores / vocab));
  for (let from = 0; from < count; from += each) await work(from, Math.min(count, from + each));
};

/** Σ over tokens of unembedding times embedding: what all words together write of what they are. [model, model] */
const wordsByWords = async ({ model, variant, scores }: Work, products: Products): Promise<Tensor<'float32'>> => {
  const { vocab, modelDim } = model.program.facts;
  const embedding = await allTokenRows(model, variant); // [vocab, model]
  const parts: Tensor<'float32'>[] = [];
  await inParts(modelDim, { vocab }, async (from, to) => {
    const unembedded = await scores.linear(float32([1, to - from, modelDim], unitRows(modelDim, [from, to])));
    parts.push(await products.of({ ...unembedded, shape: [to - from, vocab] }, embedding));
  });
  return concat(parts, 0);
};

/** The copying scores of a layer's heads, from matrices of headDim × headDim with the eigenvalues of the full circuit. */
const scoresOfLayer = async (
  layer: AttentionLayer,
  { words, products, value, out }: { words: Tensor<'float32'>; products: Products; value: FrozenPart; out: FrozenPart },
): Promise<readonly number[]> => {
  const { heads, kvHeads } = layer;
  const headDim = layer.headDim;
  const written = await products.of(await outputRows(out, heads, headDim), words); // [head · headDim, model]
  const read = await value.linear({ ...written, shape: [1, ...written.shape] }); // [1, head · headDim, kvHead, headDim]
  return Array.from({ length: heads }, (_, h) => {
    const kv = kvHeadOf(layer, h);
    const data = new Float64Array(headDim * headDim);
    for (let i = 0; i < headDim; i++)
      for (let j = 0; j < headDim; j++)
        data[i * headDim + j] = read.data[((h * headDim + i) * kvHeads + kv) * headDim + j] ?? 0;
    return copyingScore({ size: headDim, data });
  });
};

/** What each head writes where it looks at a token alone. [1, head · row, model], head by head */
const written = async (
  layer: AttentionLayer,
  samples: Samples,
  { value, out }: { value: FrozenPart; out: FrozenPart },
) => {
  const { heads, kvHeads, headDim } = layer;
  const values = await value.linear(samples.rows); // [1, row, kvHead, headDim]
  const count = samples.ids.length;
  const z = new Float32Array(heads * count * heads * headDim);
  for (let h = 0; h < heads; h++)
    for (let i = 0; i < count; i++) {
      const from = (i * kvHeads + kvHeadOf(layer, h)) * headDim;
      z.set(values.data.subarray(from, from + headDim), ((h * count + i) * heads + h) * headDim);
    }
  return out.linear(float32([1, heads * count, heads, headDim], z));
};

const copiesOfLayer = async (
  { scores, model }: Work,
  samples: Samples,
  rows: Tensor<'float32'>,
): Promise<readonly Copies[]> => {
  const { vocab } = model.program.facts;
  const count = samples.ids.length;
  const heads = (rows.shape[1] ?? 0) / count;
  const found: Copies[] = [];
  for (let h = 0; h < heads; h++) {
    const all: Float32Array[] = [];
    const own = range(rows, 1, [h * count, (h + 1) * count]);
    await inParts(count, { vocab }, async (from, to) => {
      const part = await scores.linear(range(own, 1, [from, to]));
      for (let i = 0; i < to - from; i++) all.push(part.data.slice(i * vocab, (i + 1) * vocab));
    });
    found.push(copies(all, samples.ids));
  }
  return found;
};

/** Whether all embeddings fit beside the model. */
const fits = ({ program }: OpenModel): boolean =>
  program.facts.vocab * program.facts.modelDim * 4 < 0.4 * freeMemoryBytes();

/**
 * What each head of these layers copies: by the eigenvalues of its full OV circuit, and by what it writes of some tokens.
 * @returns by layer and head
 * @throws UsageError OPTION_INVALID where scores are not linear in the stream
 */
export const copyingOf = async (
  model: OpenModel,
  {
    variant,
    layers,
    samples,
  }: { readonly variant: Variant; readonly layers: readonly AttentionLayer[]; readonly samples: Samples },
  context: OperationContext,
): Promise<ReadonlyMap<string, readonly Copying[]>> => {
  const stop = checkpoints(context);
  const scores = await scorePart(model, variant);
  const products = await Products.open(model.compilations);
  const work: Work = { model, variant, scores, context };
  const found = new Map<string, readonly Copying[]>();
  try {
    const words = fits(model) ? await wordsByWords(work, products) : undefined;
    if (!words) context.note('no copying scores: the embeddings of all tokens would not fit into memory');
    for (const [i, layer] of layers.entries()) {
      await stop();
      context.progress?.({ done: i, total: layers.length, what: 'layers whose heads are tried for copying' });
      const [value, out] = [await valuePart(model, variant, layer), await outputPart(model, variant, layer)];
      try {
        const byEigenvalues = words ? await scoresOfLayer(layer, { words, products, value, out }) : [];
        const bySamples = await copiesOfLayer(work, samples, await written(layer, samples, { value, out }));
        found.set(
          layer.layer,
          bySamples.map((c, h) => ({ ...c, score: byEigenvalues[h] ?? NaN })),
        );
      } finally {
        await value.dispose();
        await out.dispose();
      }
    }
    return found;
  } finally {
    await scores.dispose();
    await products.dispose();
  }
};
