/** Scores told apart into parts: the parts sum to the score in every family. */
import { describe, expect, it } from 'vitest';
import { componentsInput, type ComponentsResult } from '../src/protocol/index.js';
import { components } from '../src/service/index.js';
import { tiny } from './cli/command.js';
import { goldenVariants } from './support/golden.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const ids = [5, 42, 9, 31, 17, 42];

const told = (variant: string, rest: object = {}): Promise<ComponentsResult> =>
  components.run(
    componentsInput.parse({
      model: tiny(variant),
      ids,
      ...(/^(t5|mt5|umt5|bart|mbart|marian)/.test(variant) ? { targetIds: [7, 8, 3] } : {}),
      ...rest,
    }),
    context,
  );

/** One of each family, and what is unlike it: norms behind, one norm for two, caps, biases, experts, projections. */
const covered =
  /^(?!bert|roberta|distilbert)[a-z0-9-]+-default$|^(olmo2-(gelu|attention-bias)|phi-(qk-layernorm|tied)|opt-(post-norm|projected|no-final-norm)|gemma2-uncapped|gemma3-text-final-cap|gpt-neox-(sequential|unbiased)|mixtral-tied|bart-scaled|mbart-untied|gpt2-scaled-by-layer)$/;

describe.each(goldenVariants().filter((v) => covered.test(v)))('%s', (variant) => {
  it('is the sum of what its parts give', async () => {
    const single = await told(variant, { word: 3 });
    const pair = await told(variant, { word: 3, against: 11, position: -2 });
    for (const { parts, sum, residual, score, accumulated } of [single, pair]) {
      const largest = parts.reduce((most, p) => Math.max(most, Math.abs(p.value)), 1);
      expect(Math.abs(residual)).toBeLessThan(1e-4 * largest);
      expect(Math.abs(sum - score.value)).toBeLessThan(1e-4 * largest);
      expect(Math.abs((accumulated.at(-1)?.value ?? NaN) - score.value)).toBeLessThan(1e-4 * largest);
      expect(parts.filter((p) => p.part === 'head' && p.value !== 0).length).toBeGreaterThan(1);
    }
  });
});

describe('what cannot be told apart', () => {
  it.each([
    ['bert-masked', /Gelu stands between/],
    ['roberta-masked', /Gelu stands between/],
    ['bert-two-labels', /scores labels/],
  ])('%s says why', async (variant, why) => {
    await expect(told(variant, { word: 3 })).rejects.toMatchObject({
      message: expect.stringMatching(why) as string,
      info: { code: 'METHOD_UNFIT' },
    });
  });

  it('a position that is not there is refused', async () => {
    await expect(told('gpt2-default', { position: 6 })).rejects.toMatchObject({ info: { code: 'OPTION_INVALID' } });
  });

  it('an edit of the stream is no part, and is said', async () => {
    const { notes, residual } = await told('gpt2-default', {
      word: 3,
      edits: [{ text: 'set blocks.1.resid_mid[model=3] = 5' }],
    });
    expect(Math.abs(residual)).toBeGreaterThan(1e-3);
    expect(notes?.join()).toContain('miss the score');
  });

  it('a dropped head gives nothing', async () => {
    const { parts, residual } = await told('gpt2-default', { word: 3, edits: [{ text: 'drop head 1.0' }] });
    expect(parts.find((p) => p.name === '1.0')?.value).toBeCloseTo(0, 12);
    expect(Math.abs(residual)).toBeLessThan(1e-4);
  });

  it('neurons and the bias of an MLP are what the MLP gives', async () => {
    const { parts, neurons = [] } = await told('llama-default', { word: 3, neurons: 10_000 });
    const mlp = parts.find((p) => p.part === 'mlp' && p.layer === '1');
    const sum = neurons.filter((n) => n.layer === '1').reduce((total, n) => total + n.value, 0);
    expect(sum).toBeCloseTo(mlp?.value ?? NaN, 5);
  });
});
