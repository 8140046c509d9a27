import { copyingScore, PairCollector, type Pair } from '../../analyses/circuits/index.js';
import { allTokenRows, FrozenPart, Products, type Variant } from '../../engine/index.js';
import { concat, float32, range, toFloat32, type Tensor } from '../../tensor/index.js';
import { checkpoints } from '../cancel.js';
import type { OpenModel } from '../open-model.js';
import type { OperationContext } from '../operation.js';
import { scoreScale } from '../../graph/index.js';
import { kvHeadOf, type AttentionLayer } from './head-places.js';
import { comparedSite } from './head-weights.js';
import { outputPart, outputRows, scorePart, valuePart } from './layer-parts.js';

interface Asked {
  readonly variant: Pick<Variant, 'weights'>;
  readonly layer: AttentionLayer;
  readonly head: number;
  readonly top: number;
}

/** A circuit between words as two thin factors, never multiplied as a whole. */
interface Factors {
  /** [word, headDim] */
  readonly left: Tensor<'float32'>;
  /** [headDim, word] */
  readonly right: Tensor<'float32'>;
}

const each = 2048;

/** What a part makes of every word alone in the stream, its norm taken: one head's numbers. [word, headDim] */
const ofWords = async (part: FrozenPart, words: Tensor<'float32'>, head: number): Promise<Tensor<'float32'>> => {
  const [vocab = 0, model = 0] = words.shape;
  const found: Tensor<'float32'>[] = [];
  for (let from = 0; from < vocab; from += each) {
    const rows = range(words, 0, [from, Math.min(vocab, from + each)]);
    const stream = { ...rows, shape: [1, rows.shape[0] ?? 0, model] };
    const made = await part.linear(stream, { held: await part.divisors(stream) });
    found.push(headOf(made, head));
  }
  return concat(found, 0);
};

/** One head's numbers. [1, row, head, headDim] -> [row, headDim] */
const headOf = ({ shape, data }: Tensor<'float32'>, head: number): Tensor<'float32'> => {
  const [, rows = 0, heads = 1, headDim = 0] = shape;
  const own = new Float32Array(rows * headDim);
  for (let r = 0; r < rows; r++)
    own.set(data.subarray((r * heads + head) * headDim, (r * heads + head + 1) * headDim), r * headDim);
  return float32([rows, headDim], own);
};

const turned = ({ shape, data }: Tensor<'float32'>): Tensor<'float32'> => {
  const [rows = 0, columns = 0] = shape;
  const made = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) made[c * rows + r] = data[r * columns + c] ?? 0;
  return float32([columns, rows], made);
};

/** Rows of a product that are there at once, in numbers. */
const mostNumbers = 2 ** 24;

/** The rows in which the largest numbers of a product are: as many as numbers are wanted hold them all. */
const bestRows = async (
  products: Products,
  { left, right }: Factors,
  { top, context }: { top: number; context: OperationContext },
): Promise<readonly number[]> => {
  const [rows = 0] = left.shape;
  const maxima = new Float32Array(rows);
  const stop = checkpoints(context);
  const some = Math.max(1, Math.floor(mostNumbers / (right.shape[1] ?? 1)));
  for (let from = 0; from < rows; from += some) {
    await stop();
    context.progress?.({ done: from, total: rows, what: 'words tried' });
    maxima.set(await products.rowMaxima(range(left, 0, [from, Math.min(rows, from + some)]), right), from);
  }
  const order = Array.from(maxima, (_, i) => i).sort((a, b) => (maxima[b] ?? 0) - (maxima[a] ?? 0));
  return order.slice(0, top);
};

const topPairs = async (
  products: Products,
  factors: Factors,
  told: { top: number; context: OperationContext },
): Promise<readonly Pair[]> => {
  const collector = new PairCollector(told.top);
  for (const row of await bestRows(products, factors, told)) {
    const numbers = await products.of(range(factors.left, 0, [row, row + 1]), factors.right);
    collector.add(numbers.data, numbers.data.length, row);
  }
  return collector.pairs;
};

const withPart = async <Result>(
  opening: Promise<FrozenPart>,
  work: (part: FrozenPart) => Promise<Result>,
): Promise<Result> => {
  const part = await opening;
  try {
    return await work(part);
  } finally {
    await part.dispose();
  }
};

const scaled = (t: Tensor<'float32'>, by: number): Tensor<'float32'> => ({ ...t, data: t.data.map((x) => x * by) });

/** What a head writes of each word it reads: factors of W_E W_V and W_O W_U. */
const writing = async (
  model: OpenModel,
  { variant, layer, head }: Asked,
  words: Tensor<'float32'>,
): Promise<Factors> => {
  const { headDim, heads } = layer;
  const left = await withPart(valuePart(model, variant, layer), (part) => ofWords(part, words, kvHeadOf(layer, head)));
  const rows = await withPart(outputPart(model, variant, layer), (part) => outputRows(part, heads, headDim));
  const own = range(rows, 0, [head * headDim, (head + 1) * headDim]);
  const right = await withPart(scorePart(model, variant), (part) => part.linear({ ...own, shape: [1, ...own.shape] }));
  return { left, right: float32([headDim, model.program.facts.vocab], right.data) };
};

/** How much each word looks at each word, at no distance: factors of W_E W_Q and W_K W_E. */
const looking = async (
  model: OpenModel,
  { variant, layer, head }: Asked,
  words: Tensor<'float32'>,
): Promise<Factors> => {
  const { segment } = layer.instance;
  const open = (of: 'q' | 'k') =>
    FrozenPart.open(model, variant, { segment, from: `${layer.id}.resid_pre`, to: comparedSite(layer, of) });
  const scores = segment.graph.sites.find((s) => s.name === `${layer.id}.attn.scores`)?.value;
  const scale = scores === undefined ? 1 : scoreScale(segment.graph, scores);
  const queries = await withPart(open('q'), (part) => ofWords(part, words, head));
  const keys = await withPart(open('k'), (part) => ofWords(part, words, kvHeadOf(layer, head)));
  return { left: scaled(queries, scale), right: turned(keys) };
};

/** What a head does between words, by its matrices alone. */
export interface WordPairs {
  readonly writes: readonly Pair[];
  readonly looks: readonly Pair[];
}

/**
 * The pairs of words that a head joins most strongly: reading one it writes the other, and one looks at the other. The
 * full circuits of Elhage 2021, word by word, of which only thin factors are ever there; each word alone in the stream.
 */
export const wordPairs = async (model: OpenModel, asked: Asked, context: OperationContext): Promise<WordPairs> => {
  const words = await allTokenRows(model, asked.variant);
  const products = await Products.open(model.compilations);
  try {
    const told = { top: asked.top, context };
    const writes = await topPairs(products, await writing(model, asked, words), told);
    return { writes, looks: await topPairs(products, await looking(model, asked, words), told) };
  } finally {
    await products.dispose();
  }
};

/** The copying score of one head: the eigenvalues of right · left, of headDim × headDim, are those of the full circuit. */
export const headCopying = async (model: OpenModel, asked: Asked): Promise<number> => {
  const { headDim } = asked.layer;
  const words = await allTokenRows(model, asked.variant);
  const [vocab = 0, width = 0] = words.shape;
  const products = await Products.open(model.compilations);
  const value = await valuePart(model, asked.variant, asked.layer);
  try {
    const { right } = await writing(model, asked, words);
    const written = await products.of(float32([headDim, vocab], toFloat32(right)), float32([vocab, width], words.data));
    const read = await value.linear({ ...written, shape: [1, headDim, width] });
    const own = headOf(read, kvHeadOf(asked.layer, asked.head));
    return copyingScore({ size: headDim, data: Float64Array.from(own.data) });
  } finally {
    await value.dispose();
    await products.dispose();
  }
};
