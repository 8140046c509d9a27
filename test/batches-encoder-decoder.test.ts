import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/base/index.js';
import {
  forward,
  generate,
  placedSites,
  runOrder,
  type ForwardResult,
  type PlacedSite,
  type Step,
} from '../src/engine/index.js';
import { openModel, type OpenModel } from '../src/service/index.js';
import { range, type Tensor } from '../src/tensor/index.js';
import { goldenFolder } from './support/golden.js';
import { writeRandomModel } from './support/random-model.js';

const bartSizes: JsonObject = {
  ...{ vocab_size: 211, d_model: 768, encoder_layers: 2, decoder_layers: 2, encoder_ffn_dim: 1024 },
  ...{ decoder_ffn_dim: 896, encoder_attention_heads: 12, decoder_attention_heads: 8, max_position_embeddings: 40 },
  decoder_start_token_id: 2,
};

/** Wide enough that packed and unpacked products differ in their last bits: what agrees here agrees anywhere. */
const wide: Readonly<Record<string, JsonObject>> = {
  t5: {
    ...{ model_type: 't5', vocab_size: 211, d_model: 768, d_ff: 1024, d_kv: 64, num_layers: 2, num_heads: 12 },
    feed_forward_proj: 'gated-gelu',
  },
  bart: { model_type: 'bart', ...bartSizes },
  mbart: { model_type: 'mbart', ...bartSizes, scale_embedding: true },
  marian: { model_type: 'marian', ...bartSizes, activation_function: 'swish' },
};

const sourceLengths = [5, 11, 1, 4];
const targetLengths = [7, 1, 4, 11];
const idsOf = (lengths: readonly number[], offset: number): number[][] =>
  lengths.map((length, b) => Array.from({ length }, (_, i) => (i * 17 + b * 5 + offset) % 61));
const [sources, targets] = [idsOf(sourceLengths, 3), idsOf(targetLengths, 0)];

const plain = (model: OpenModel) => ({ order: runOrder(model.program, []), edits: new Map(), weights: new Map() });

/** How many of an axis's places belong to sequence `b`. */
const ownLength = (axis: string, { instance }: PlacedSite, b: number): number | undefined => {
  const inEncoder = instance.segment.stack === 'encoder';
  if (axis === 'source') return sourceLengths[b];
  return ['position', 'query', 'key'].includes(axis) ? (inEncoder ? sourceLengths : targetLengths)[b] : undefined;
};

/** A sequence's part of a value of a batch, without what fills it up. */
const ownPart = (value: Tensor, place: PlacedSite, b: number): Tensor =>
  place.type.axes.reduce<Tensor>((t, axis, a) => {
    if (axis === 'batch') return (t.shape[a] ?? 1) === 1 ? t : range(t, a, [b, b + 1]);
    const length = ownLength(axis, place, b);
    return length === undefined || (t.shape[a] ?? 1) <= length ? t : range(t, a, [0, length]);
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

/** Every site of each pair of source and target, in the batch and by itself. */
const comparisons = async (model: OpenModel): Promise<readonly Comparison[]> => {
  const places = placedSites(runOrder(model.program, []));
  const capture = new Set(places.map((p) => p.name));
  const run = (source: readonly (readonly number[])[], ids: typeof source): Promise<ForwardResult> =>
    forward(model, { variant: plain(model), source, ids, capture, logits: 'all' });
  const together = await run(sources, targets);
  const found: Comparison[] = [];
  for (const [b, target] of targets.entries()) {
    const alone = await run([sources[b] ?? []], [target]);
    for (const place of places) {
      const value = together.sites.get(place.name);
      if (value)
        found.push(compare(`${place.name} of pair ${b}`, ownPart(value, place, b), alone.sites.get(place.name)));
    }
  }
  expect(found).toHaveLength(targets.length * places.length);
  return found;
};

/** The scores of each step of a greedy generation, as bits. */
const stepBits = async (model: OpenModel, withoutCache: boolean): Promise<readonly string[]> => {
  const steps: Step[] = [];
  const request = {
    ...{ variant: plain(model), source: sources[1] ?? [], ids: [0, 5], maxNewTokens: 6, sampling: {} },
    ...{ eos: new Set<number>(), withoutCache },
  };
  for await (const step of generate(model, request)) steps.push(step);
  return steps.map(({ logits }) => Buffer.from(logits.buffer, logits.byteOffset, logits.byteLength).toString('base64'));
};

describe('sources and targets of different lengths in one batch are as one by one', () => {
  it.each(['t5-default', 't5-gated', 'bart-default', 'marian-default'])(
    '%s: to 2e-5, on the reference engine too',
    async (variant) => {
      for (const engine of ['onnxruntime', 'reference'] as const) {
        const model = await openModel(path.join(goldenFolder, variant), { device: 'cpu', engine });
        for (const { name, shape, expected, worst } of await comparisons(model)) {
          expect(shape, name).toBe(expected);
          expect(worst, name).toBeLessThan(2e-5);
        }
        await model.dispose();
      }
    },
  );

  const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-pairs-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(Object.entries(wide))(
    '%s, wide: to the bit; and with caches as without',
    { timeout: 60_000 },
    async (_, config) => {
      const own = writeRandomModel(mkdtempSync(path.join(folder, 'model-')), config, { dtype: 'F32' });
      const model = await openModel(own, { device: 'cpu', engine: 'onnxruntime' });
      expect((await comparisons(model)).filter(({ worst }) => worst > 0)).toEqual([]);
      const cached = await stepBits(model, false);
      expect(cached).toHaveLength(6);
      expect(cached).toEqual(await stepBits(model, true));
      await model.dispose();
    },
  );
});
