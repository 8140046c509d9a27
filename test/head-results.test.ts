import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { forward, prepareExperiment, type Variant } from '../src/engine/index.js';
import { parseEdits } from '../src/language/index.js';
import { contextFor, openModel, promptOfIds, type OpenModel } from '../src/service/index.js';
import { goldenFolder, worstDifference } from './support/golden.js';

const ids = [5, 42, 9, 9, 31, 0, 58];
/** Sums over heads in another order than the layer's own product. */
const tolerance = 2e-5;

const variantOf = async (model: OpenModel, text: string): Promise<Variant> =>
  (await prepareExperiment(contextFor(model, promptOfIds(model, ids), 0), parseEdits(text))).variant;

describe.each([
  ['gpt2-default', 'onnxruntime', 'transformer.h.1.attn.c_proj.bias'],
  ['llama-attention-bias', 'onnxruntime', 'model.layers.1.self_attn.o_proj.bias'],
  ['llama-grouped', 'reference64', undefined],
  ['bert-masked', 'onnxruntime', 'bert.encoder.layer.1.attention.output.dense.bias'],
  ['distilbert-three-labels', 'onnxruntime', 'distilbert.transformer.layer.1.attention.out_lin.bias'],
] as const)('%s on %s: attn.result', (name, engine, biasName) => {
  it('sums over heads, with the bias, to what attention adds', async () => {
    const model = await openModel(path.join(goldenFolder, name), { device: 'cpu', engine });
    const capture = new Set(['blocks.1.attn.result', 'blocks.1.attn_out']);
    const { sites } = await forward(model, { variant: await variantOf(model, ''), ids: [ids], capture });
    const result = sites.get('blocks.1.attn.result');
    const [, positions = 0, heads = 0, width = 0] = result?.shape ?? [];
    const bias = biasName === undefined ? new Float32Array(width) : (await model.weights.read(biasName)).data;
    const sums = Array.from({ length: positions * width }, (_, i) => {
      const [position, m] = [Math.floor(i / width), i % width];
      const parts = Array.from({ length: heads }, (_, h) => Number(result?.data[(position * heads + h) * width + m]));
      return parts.reduce((a, b) => a + b, bias[m] ?? 0);
    });
    const out = Array.from(sites.get('blocks.1.attn_out')?.data ?? [], Number);
    expect(sums).toHaveLength(ids.length * model.program.facts.modelDim);
    expect(worstDifference(sums, out)).toBeLessThan(tolerance);
    await model.dispose();
  });

  it('set to zero for a head is that head dropped', async () => {
    const model = await openModel(path.join(goldenFolder, name), { device: 'cpu', engine });
    const run = async (text: string): Promise<Float32Array> => {
      const variant = await variantOf(model, text);
      return (await forward(model, { variant, ids: [ids], capture: new Set() })).logits?.data ?? new Float32Array(0);
    };
    const dropped = await run('drop head 1.2');
    expect(worstDifference(await run('set blocks.1.attn.result[head=2] = zero'), dropped)).toBeLessThan(tolerance);
    expect(worstDifference(await run(''), dropped)).toBeGreaterThan(0.01);
    await model.dispose();
  });
});
