import { describe, expect, it } from 'vitest';
import { lens } from '../src/analyses/lens/index.js';
import { forward, runOrder } from '../src/engine/index.js';
import { openModel, promptOfIds } from '../src/service/index.js';
import { range } from '../src/tensor/index.js';
import { tiny } from './cli/command.js';

const ids = [5, 42, 9, 31];

const opened = async (variant: string) => {
  const model = await openModel(tiny(variant), { device: 'cpu', engine: 'onnxruntime' });
  const encoder = model.program.facts.encoder !== undefined;
  return { model, prompt: promptOfIds(model, ids, encoder ? [7, 8] : undefined) };
};

describe.each([
  'gpt2-default',
  'llama-grouped',
  'gemma2-default',
  'opt-post-norm',
  't5-default',
  'bart-default',
  'bert-masked',
])('the lens on %s', (variant) => {
  it.each([-1, 0, 1])('ends, at position %i, with what the model says', async (position) => {
    const { model, prompt } = await opened(variant);
    const plain = { order: runOrder(model.program, []), edits: new Map(), weights: new Map() };
    const rows = await lens(model, { variant: plain, prompt, position });
    expect(rows.map((r) => r.after.replace(/^decoder\./, ''))).toEqual([
      'embed',
      ...Array.from({ length: model.program.facts.layers }, (_, i) => `blocks.${i}`),
    ]);
    const source = prompt.source ? { source: [prompt.source.ids] } : {};
    const { logits } = await forward(model, {
      variant: plain,
      ids: [prompt.ids],
      capture: new Set(),
      logits: 'all',
      ...source,
    });
    const at = position < 0 ? prompt.ids.length + position : position;
    expect(logits && [...range(logits, 1, [at, at + 1]).data]).toEqual([...(rows.at(-1)?.logits ?? [])]);
    expect([...(rows[0]?.logits ?? [])]).not.toEqual([...(rows.at(-1)?.logits ?? [])]);
    await model.dispose();
  });
});

describe('the lens', () => {
  it('follows the run order', async () => {
    const { model, prompt } = await opened('llama-grouped');
    const order = runOrder(model.program, [
      { kind: 'skip', layer: 0 },
      { kind: 'repeat', layer: 2 },
    ]);
    const rows = await lens(model, { variant: { order, edits: new Map(), weights: new Map() }, prompt, position: -1 });
    expect(rows.map((r) => r.after)).toEqual(['embed', 'blocks.1', 'blocks.2', 'blocks.2#2']);
    await model.dispose();
  });

  it('is refused for labels', async () => {
    const { model, prompt } = await opened('bert-two-labels');
    const plain = { order: runOrder(model.program, []), edits: new Map(), weights: new Map() };
    await expect(lens(model, { variant: plain, prompt, position: 0 })).rejects.toThrow('labels');
    await model.dispose();
  });
});
