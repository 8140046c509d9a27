import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/base/index.js';
import { forward, placedSites, runOrder, type ForwardResult } from '../src/engine/index.js';
import { openModel, type OpenModel } from '../src/service/index.js';
import { range, type Tensor } from '../src/tensor/index.js';
import { goldenFolder } from './support/golden.js';
import { writeRandomModel } from './support/random-model.js';

/** Wide enough that packed and unpacked products differ in their last bits: what agrees here agrees anywhere. */
const wide: Readonly<Record<string, JsonObject>> = {
  bert: {
    ...{ model_type: 'bert', vocab_size: 211, hidden_size: 768, intermediate_size: 1024 },
    ...{ num_hidden_layers: 2, num_attention_heads: 12, max_position_embeddings: 40 },
  },
  'bert, labels': {
    ...{ model_type: 'bert', architectures: ['BertForSequenceClassification'], num_labels: 3 },
    ...{ vocab_size: 211, hidden_size: 768, intermediate_size: 1024 },
    ...{ num_hidden_layers: 2, num_attention_heads: 12, max_position_embeddings: 40 },
  },
  roberta: {
    ...{ model_type: 'roberta', vocab_size: 211, hidden_size: 768, intermediate_size: 1024, pad_token_id: 1 },
    ...{ num_hidden_layers: 2, num_attention_heads: 12, max_position_embeddings: 40 },
  },
  distilbert: { model_type: 'distilbert', vocab_size: 211, hidden_dim: 1024, n_layers: 2, max_position_embeddings: 40 },
  gpt2: { model_type: 'gpt2', vocab_size: 211, n_positions: 40, n_embd: 768, n_layer: 2, n_head: 12 },
  llama: {
    ...{ model_type: 'llama', vocab_size: 211, hidden_size: 768, intermediate_size: 1024, num_hidden_layers: 2 },
    ...{ num_attention_heads: 12, num_key_value_heads: 4, max_position_embeddings: 40 },
  },
};

/** The tiny models of these variants, with weights that give logits of ordinary size. */
const tiny = [
  ...['bert-masked', 'bert-two-labels', 'roberta-masked', 'roberta-three-labels'],
  ...['distilbert-masked', 'distilbert-three-labels', 'gpt2-default', 'llama-grouped'],
];

const lengths = [11, 4, 1, 7];
/** Ids of every kind: 0 fills up shorter prompts, 1 is RoBERTa's padding, and both may stand in a prompt. */
const prompts = lengths.map((length, b) => Array.from({ length }, (_, i) => (i * 17 + b * 5 + (i === 2 ? 1 : 0)) % 61));

const rowAxes = new Set(['position', 'query', 'key']);

/** A sequence's part of a value of a batch, without what fills it up. */
const ownPart = (value: Tensor, axes: readonly string[], { b, length }: { b: number; length: number }): Tensor =>
  axes.reduce<Tensor>((t, axis, a) => {
    if (axis === 'batch') return (t.shape[a] ?? 1) === 1 ? t : range(t, a, [b, b + 1]);
    return rowAxes.has(axis) && (t.shape[a] ?? 1) > length ? range(t, a, [0, length]) : t;
  }, value);

interface Comparison {
  readonly name: string;
  readonly shape: string;
  readonly expected: string;
  readonly worst: number;
}

const compare = (name: string, own: Tensor, alone: Tensor | undefined): Comparison => {
  const [a, b] = [own.data as Float32Array, (alone?.data ?? []) as Float32Array];
  const worst = a.reduce((most, x, i) => Math.max(most, Object.is(x, b[i]) ? 0 : Math.abs(x - (b[i] ?? NaN))), 0);
  return { name, shape: own.shape.join(), expected: alone?.shape.join() ?? '', worst };
};

/** Every site and the scores, of each prompt in the batch and by itself. */
const comparisons = async (model: OpenModel): Promise<readonly Comparison[]> => {
  const order = runOrder(model.program, []);
  const places = placedSites(order);
  const run = (ids: readonly (readonly number[])[]): Promise<ForwardResult> =>
    forward(model, {
      ...{ variant: { order, edits: new Map(), weights: new Map() }, ids },
      ...{ capture: new Set(places.map((p) => p.name)), logits: 'all' },
    });
  const together = await run(prompts);
  const found: Comparison[] = [];
  for (const [b, ids] of prompts.entries()) {
    const alone = await run([ids]);
    const at = { b, length: ids.length };
    for (const { name, type } of places) {
      const value = together.sites.get(name);
      if (value) found.push(compare(`${name} of ${ids.length}`, ownPart(value, type.axes, at), alone.sites.get(name)));
    }
    const { logits } = together;
    const { axes = [] } = places.find((p) => p.name === 'logits')?.type ?? {};
    if (logits) found.push(compare(`scores of ${ids.length}`, ownPart(logits, axes, at), alone.logits));
  }
  expect(found).toHaveLength(prompts.length * (places.length + 1));
  return found;
};

describe('prompts of different lengths in one batch are as one by one', () => {
  it.each(tiny)('%s: to 2e-5, on the reference engine too', async (variant) => {
    for (const engine of ['onnxruntime', 'reference'] as const) {
      const model = await openModel(path.join(goldenFolder, variant), { device: 'cpu', engine });
      for (const { name, shape, expected, worst } of await comparisons(model)) {
        expect(shape, name).toBe(expected);
        expect(worst, name).toBeLessThan(2e-5);
      }
      await model.dispose();
    }
  });

  const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-batches-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(Object.entries(wide))('%s, wide: to the bit', { timeout: 60_000 }, async (_, config) => {
    const own = writeRandomModel(mkdtempSync(path.join(folder, 'model-')), config, { dtype: 'F32' });
    const model = await openModel(own, { device: 'cpu', engine: 'onnxruntime' });
    const differing = (await comparisons(model)).filter(({ worst }) => worst > 0);
    expect(differing).toEqual([]);
    await model.dispose();
  });
});
