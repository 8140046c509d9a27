import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { forward, prepareExperiment } from '../src/engine/index.js';
import type { OnnxruntimeBackend } from '../src/engine/onnxruntime/index.js';
import { parseEdits } from '../src/language/index.js';
import { contextFor } from '../src/service/experiment.js';
import { openModel } from '../src/service/index.js';
import { promptOfIds } from '../src/service/prompts.js';
import { goldenFolder } from './support/golden.js';

const ids = [5, 42, 9, 9, 31];

describe('changing a number', () => {
  it.each([
    ['scale blocks.1.attn.z[head=2] by 0.5', 'scale blocks.1.attn.z[head=1] by -3'],
    ['set blocks.0.mlp.post[position=2, neuron=7] = 1', 'set blocks.0.mlp.post[position=-1, neuron=(1 2 5)] = -4'],
    ['add 1 * direction(3 - 4) at blocks.1.resid_post', 'add 2.5 * direction(9 - 8) at blocks.1.resid_post'],
    ['weight transformer.h.1.mlp.c_fc.weight[out=3] = 0', 'weight transformer.h.1.mlp.c_fc.weight *= 1.5'],
  ])('%s, then %s: compiles nothing, and undone compiles nothing', async (one, other) => {
    const model = await openModel(path.join(goldenFolder, 'gpt2-default'), { device: 'cpu', engine: 'onnxruntime' });
    const backend = model.backend as OnnxruntimeBackend;
    const run = async (text: string): Promise<string> => {
      const context = contextFor(model, promptOfIds(model, ids), 0);
      const { variant } = await prepareExperiment(context, parseEdits(text));
      const { logits } = await forward(model, { variant, ids: [ids], capture: new Set() });
      return Buffer.from(logits?.data.slice().buffer ?? new ArrayBuffer(0)).toString('base64');
    };
    const plain = await run('');
    const first = await run(one);
    const made = backend.sessionsMade;
    const second = await run(other);
    expect(backend.sessionsMade).toBe(made);
    expect(new Set([plain, first, second]).size).toBe(3);
    expect(await run('')).toBe(plain);
    expect(await run(one)).toBe(first);
    expect(backend.sessionsMade).toBe(made);
    await model.dispose();
  });
});
