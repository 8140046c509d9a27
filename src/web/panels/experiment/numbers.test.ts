import { describe, expect, it } from 'vitest';
import { parseEdits } from '../../../language/index.js';
import { numberIn, withNumber } from './numbers.js';

describe('the number of an edit', () => {
  it.each([
    ['scale blocks.1.attn.z[head=2] by 0.5', 0.5],
    ['scale blocks.1.attn.z[head=2] by -1e-2 at step 3', -0.01],
    ['add 3.5 * direction(" a" - " b") at blocks.0.resid_post', 3.5],
    ['set blocks.0.mlp.post[neuron=7] = 2', 2],
    ['temperature 0.7', 0.7],
    ['top-p 0.9', 0.9],
    ['config rms_norm_eps = 1e-5', 1e-5],
    ['config rope_theta = 10000', 10_000],
    ['min-p 0.05', 0.05],
    ['top-k 400', 400],
    ['repetition-penalty 1.3', 1.3],
  ])('of %s', (text, value) => {
    const found = numberIn(text);
    expect(found?.value).toBe(value);
    const { least = NaN, most = NaN } = found ?? {};
    expect(value).toBeGreaterThanOrEqual(least);
    expect(value).toBeLessThanOrEqual(most);
  });

  it.each(['drop head 3.0', 'set blocks.0.mlp_out = zero', 'skip layer 3', 'prompt "by 3"'])(
    'is none in %s',
    (text) => {
      expect(numberIn(text)).toBeUndefined();
    },
  );

  it('moves by its logarithm where its size matters', () => {
    expect(numberIn('config layer_norm_epsilon = 1e-5')?.isLog).toBe(true);
    expect(numberIn('config num_experts_per_tok = 2')?.isLog).toBeUndefined();
  });

  it('is put in its place, and the edit stays one', () => {
    const text = 'scale blocks.1.attn.z[head=2] by 0.5 from step 1';
    const moved = withNumber(text, numberIn(text) ?? { from: 0, to: 0 }, 1.23456);
    expect(moved).toBe('scale blocks.1.attn.z[head=2] by 1.235 from step 1');
    expect(parseEdits(moved)).toHaveLength(1);
  });
});
