import { expect, it } from 'vitest';
import { llama } from '../../../../test/cli/command.js';
import { prepareExperiment, type Prompt } from '../../../engine/index.js';
import { parseExpression } from '../../../language/index.js';
import { contextFor } from '../../experiment.js';
import { openModel } from '../../open-model.js';
import { KeptGradients } from './gradients-kept.js';

const ids = [5, 42, 9, 31];
const prompt: Prompt = { ids, tokens: ids.map((id) => ({ text: `t${id}` })) };

it('of a large model keeps those of the stream, and computes a layer again, to the same numbers', async () => {
  const model = await openModel(llama, { device: 'cpu', engine: 'onnxruntime' });
  try {
    const { variant } = await prepareExperiment(contextFor(model, prompt, 0), []);
    const request = { model, variant, prompt, expression: parseExpression('logit(7)') };
    const all = await KeptGradients.of(request);
    let segments = 0;
    const onSegment = (): Promise<void> => {
      segments++;
      return Promise.resolve();
    };
    const few = await KeptGradients.of({ ...request, onSegment }, 0);
    expect(all.kept.has('blocks.1.mlp.post')).toBe(true);
    expect(few.kept.has('blocks.1.mlp.post')).toBe(false);
    expect(few.value).toBe(all.value);
    for (const name of few.outer) expect(few.kept.get(name)?.data, name).toEqual(all.kept.get(name)?.data);
    const counts: number[] = [];
    for (const name of ['blocks.1.mlp.post', 'blocks.1.attn.pattern', 'blocks.0.attn.z']) {
      const [a, b] = [(await few.by(name))?.data ?? [], (await all.by(name))?.data ?? []];
      expect(a.length).toBe(b.length);
      a.forEach((x, i) => expect(x).toBeCloseTo(b[i] ?? NaN, 6));
      counts.push(segments);
    }
    const [first = 0, second = 0, third = 0] = counts;
    expect(second).toBe(first); // of the same layer
    expect(third).toBeGreaterThan(second);
    expect(await all.by('nothing')).toBeUndefined();
  } finally {
    await model.dispose();
  }
});
