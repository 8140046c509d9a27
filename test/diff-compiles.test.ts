/** What a try of a mistake compiles: the segment that it changes, and no other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tried, valuesIn, type Trial } from '../src/analyses/diff/index.js';
import { runOrder } from '../src/engine/index.js';
import type { OnnxruntimeBackend } from '../src/engine/onnxruntime/index.js';
import { promptOfIds } from '../src/service/prompts.js';
import type { OpenModel } from '../src/service/index.js';
import { openGolden } from './support/gradient-model.js';

describe('a trial', () => {
  let model: OpenModel;
  beforeAll(async () => {
    model = await openGolden('llama-grouped');
  });
  afterAll(() => model.dispose());
  const made = (): number => (model.backend as OnnxruntimeBackend).sessionsMade;
  const trial = (): Trial => {
    const { program, weights, backend, compilations } = model;
    return {
      ...{ program, weights, backend, make: () => program, prompt: promptOfIds(model, [5, 42, 9]) },
      lent: { compilations, segments: new Set(program.segments) },
      variant: { order: runOrder(program, []), edits: new Map(), weights: new Map() },
    };
  };
  const sites = ['blocks.0.attn_out', 'blocks.2.resid_post'];

  it('borrows what the model has compiled, and gives the same values', async () => {
    const first = await valuesIn(trial(), sites);
    const before = made();
    const again = await valuesIn(trial(), sites);
    expect(made()).toBe(before);
    const { lent: _, ...alone } = trial();
    expect(await valuesIn(alone, sites)).toEqual(first);
    expect(made()).toBeGreaterThan(before + 3); // all of it anew
    expect(again).toEqual(first);
  });

  it('compiles the changed segment alone', async () => {
    const [, block] = model.program.segments;
    if (!block) throw new Error('no block');
    await valuesIn(trial(), sites);
    const scene = { segment: block, site: 'blocks.0.attn_out' } as never;
    const one = { says: 'the same graph again', segment: () => Promise.resolve({ graph: { ...block.graph } }) };
    const changed = await tried(trial(), { scene, one: one, reach: 'here' });
    if (!changed) throw new Error('the try has no place');
    const before = made();
    expect(await valuesIn(changed, sites)).toEqual(await valuesIn(trial(), sites));
    expect(made()).toBe(before + 1);
  });
});
