import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { forward, runOrder } from '../src/engine/index.js';
import { openModel } from '../src/service/index.js';
import { worstDifference } from './support/golden.js';
import { sharedOrSkip } from './support/shared.js';

/** As in `golden.json`: a prompt, its ids with the start token, the last logits in float64. */
interface Golden {
  readonly prompt: string;
  readonly ids: readonly number[];
  readonly last_logits: readonly number[];
}

it('TinyStories-656K gives the ids of the prompt, and the last logits to 1e-4', async (context) => {
  const folder = sharedOrSkip(context, 'models/tinystories-656k');
  const golden = JSON.parse(readFileSync(path.join(folder, 'golden.json'), 'utf8')) as Golden;
  const model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime' });
  const tokens = await model.tokenizer?.encode(golden.prompt, { special: true });
  const variant = { order: runOrder(model.program, []), edits: new Map(), weights: new Map() };
  const { logits } = await forward(model, { variant, ids: [golden.ids], capture: new Set() });
  expect(tokens?.map((t) => t.id)).toEqual(golden.ids);
  expect(worstDifference(logits?.data ?? [], golden.last_logits)).toBeLessThan(1e-4);
  await model.dispose();
});
