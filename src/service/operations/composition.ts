import {
  compositions,
  compositionScores,
  headCores,
  sideBySide,
  type Composition,
  type HeadCores,
} from '../../analyses/circuits/index.js';
import { UsageError } from '../../base/index.js';
import { prepareExperiment, Products, type Variant } from '../../engine/index.js';
import type { CompositionInput, CompositionPair, CompositionResult } from '../../protocol/index.js';
import { checkpoints } from '../cancel.js';
import { attentionLayers, type AttentionLayer } from '../circuits/head-places.js';
import { headWeights } from '../circuits/head-weights.js';
import { needHead } from '../circuits/need-head.js';
import { formatBytes } from '../bytes.js';
import { onEditedModel, type EditedModel } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import { checkExport, tableExport, writeExport } from '../exports/index.js';
import { freeMemoryBytes } from '../machine.node.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptOfIds } from '../prompts.js';

interface LayerCores {
  readonly layer: AttentionLayer;
  readonly cores: readonly HeadCores[];
}

/** @throws UsageError MEMORY_LIMIT */
const checkFits = ({ program }: OpenModel, layers: readonly AttentionLayer[]): void => {
  const bytes = layers.reduce((sum, l) => sum + 4 * 4 * l.heads * l.headDim * program.facts.modelDim, 0);
  const limit = Math.floor(freeMemoryBytes() / 2);
  if (bytes <= limit) return;
  throw new UsageError(
    `the matrices of all heads would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`,
    {
      code: 'MEMORY_LIMIT',
      hint: 'Take a smaller model, or a machine with more free memory.',
      details: { bytes, limit },
    },
  );
};

/** Layers whose streams are one: the encoder's apart from the decoder's. */
const sameStream = (a: AttentionLayer, b: AttentionLayer): boolean => a.stack === b.stack;

const pairsOf = async (
  products: Products,
  early: LayerCores,
  late: LayerCores,
): Promise<readonly CompositionPair[]> => {
  const writers = early.cores.map((c) => c.written);
  const left = sideBySide(writers); // [model, head · headDim]
  const [rows = 0, columns = 0] = left.shape;
  const turned = new Float32Array(left.data.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) turned[c * rows + r] = left.data[r * columns + c] ?? 0;
  const found: CompositionPair[] = [];
  for (const kind of compositions) {
    const readers = late.cores.map((c) => c.read[kind]);
    const product = await products.of({ ...left, shape: [columns, rows], data: turned }, sideBySide(readers));
    compositionScores(product, writers, readers).forEach((row, i) =>
      row.forEach((score, j) =>
        found.push({ kind, from: `${early.layer.layer}.${i}`, to: `${late.layer.layer}.${j}`, score }),
      ),
    );
  }
  return found;
};

const coresOf = async (
  model: OpenModel,
  { variant, layers }: { variant: Variant; layers: readonly AttentionLayer[] },
  context: OperationContext,
): Promise<readonly LayerCores[]> => {
  const stop = checkpoints(context);
  const found: LayerCores[] = [];
  for (const layer of layers) {
    await stop();
    context.progress?.({ done: found.length, total: 2 * layers.length, what: 'layers read' });
    found.push({ layer, cores: (await headWeights(model, variant, layer)).map(headCores) });
  }
  return found;
};

const strongest = (pairs: readonly CompositionPair[], { top, head }: CompositionInput): readonly CompositionPair[] =>
  compositions.flatMap((kind) =>
    pairs
      .filter((p) => p.kind === kind && (head === undefined || p.from === head || p.to === head))
      .sort((a, b) => b.score - a.score)
      .slice(0, top),
  );

const meanOf = (pairs: readonly CompositionPair[], kind: Composition): number => {
  const own = pairs.filter((p) => p.kind === kind);
  return own.length === 0 ? 0 : own.reduce((sum, p) => sum + p.score, 0) / own.length;
};

const compositionOf = async (
  { model, edits }: EditedModel,
  input: CompositionInput,
  context: OperationContext,
): Promise<CompositionResult> => {
  const prompt = promptOfIds(model, [0, 0]);
  const { variant } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const layers = attentionLayers(variant.order);
  if (input.head !== undefined) needHead(layers, input.head);
  checkFits(model, layers);
  const all = await coresOf(model, { variant, layers }, context);
  const products = await Products.open(model.compilations);
  const pairs: CompositionPair[] = [];
  try {
    for (const [i, late] of all.entries()) {
      context.progress?.({ done: all.length + i, total: 2 * all.length, what: 'layers held against each other' });
      for (const early of all.slice(0, i).filter((e) => sameStream(e.layer, late.layer)))
        pairs.push(...(await pairsOf(products, early, late)));
      await checkpoints(context)();
    }
  } finally {
    await products.dispose();
  }
  return {
    model: await model.summary(),
    mean: { Q: meanOf(pairs, 'Q'), K: meanOf(pairs, 'K'), V: meanOf(pairs, 'V') },
    pairs: [...strongest(pairs, input)],
  };
};

/** Which heads read what others write, by their weights alone. */
export const composition: Operation<CompositionInput, CompositionResult> = {
  name: 'composition',
  help: 'Which heads read what earlier heads write, by their matrices alone: Q-, K- and V-composition scores of all pairs of heads, norms folded in. From 0 to 1; what counts is how far a pair is above the mean.',
  async run(input, context) {
    await checkExport(input.out);
    const result = await onEditedModel(input, context, (opened) => compositionOf(opened, input, context));
    await writeExport(input.out, tableExport(tableOf(result)), context);
    return result;
  },
};

const tableOf = ({ pairs }: CompositionResult) => ({
  columns: ['kind', 'from', 'to', 'score'],
  rows: pairs.map((p) => [p.kind, p.from, p.to, p.score]),
  grid: {
    title: 'composition, from (rows) to (columns)',
    cells: pairs.filter((p) => p.kind === 'K').map((p) => ({ row: p.from, column: p.to, value: p.score })),
  },
});
