import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromRows, occlusion, rowNorms, shapley, smoothGradient } from '../src/analyses/attribution/index.js';
import { prepareExperiment } from '../src/engine/index.js';
import { parseExpression } from '../src/language/index.js';
import { attributeInput, type AttributeInput, type IntegrationRule } from '../src/protocol/index.js';
import { leftOutGame } from '../src/service/attribution/left-out.js';
import { embeddingsOf, smoothText, type TextModel } from '../src/service/attribution/text-model.js';
import { unitsOf } from '../src/service/attribution/units.js';
import { contextFor } from '../src/service/experiment.js';
import { attribute } from '../src/service/index.js';
import type { OpenModel, OpenOptions } from '../src/service/open-model.js';
import { promptOfIds } from '../src/service/prompts.js';
import { goldenFolder } from './support/golden.js';
import { openGolden } from './support/gradient-model.js';
import { root } from './support/root.js';

interface Scores {
  readonly scores: readonly number[];
}
interface Golden {
  readonly ids: readonly number[];
  readonly other: number;
  readonly captum: Readonly<
    Record<
      string,
      {
        readonly target: number;
        readonly value: number;
        readonly inputXGradient: readonly number[];
        readonly integratedGradients: Readonly<Record<string, Scores & { readonly steps: number }>>;
        readonly smoothGrad: {
          readonly norms: readonly number[];
          readonly noise: readonly (readonly (readonly number[])[])[];
        };
        readonly ablation: readonly number[];
        readonly shapley: Scores & { readonly orders: readonly (readonly number[])[] };
      }
    >
  >;
  readonly relevance: Readonly<Record<string, Readonly<Record<'attnlrp' | 'cp', Scores & { readonly value: number }>>>>;
}

const golden = JSON.parse(readFileSync(path.join(root, 'test/golden/attribution/golden.json'), 'utf8')) as Golden;

/** Of the largest score expected: the golden scores are in float64, ours in float32 over some layers. */
const tolerance = 2e-5;

const near = (found: readonly (number | null)[], expected: readonly number[]): void => {
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  expect(found.length).toBe(expected.length);
  expect(largest).toBeGreaterThan(0);
  expected.forEach((x, i) => expect(Math.abs((found[i] ?? NaN) - x) / largest, String(i)).toBeLessThan(tolerance));
};

const context = { signal: new AbortController().signal, note: () => undefined };

const scoresOf = async (variant: string, given: Partial<AttributeInput>): Promise<readonly (number | null)[]> => {
  const input = attributeInput.parse({
    ...{ model: path.join(goldenFolder, variant), ids: golden.ids, faithfulness: false },
    ...given,
  });
  const { rows } = await attribute.run(input, context);
  return rows[0]?.scores ?? [];
};

const openText = async (
  variant: string,
  options: Partial<OpenOptions> = {},
): Promise<TextModel & { model: OpenModel }> => {
  const model = await openGolden(variant, options);
  const prompt = promptOfIds(model, golden.ids);
  const { variant: plain } = await prepareExperiment(contextFor(model, prompt, 0), []);
  const quiet = { onSegment: async () => Promise.resolve(), onTexts: () => undefined, maxBytes: undefined };
  return { model, prompt, variant: plain, ...quiet };
};

describe.each(Object.entries(golden.captum))('%s has what Captum says', (variant, expected) => {
  const of = `logit(${expected.target})`;

  it('of gradient times input', async () =>
    near(await scoresOf(variant, { of, method: 'gradient-x-input' }), expected.inputXGradient));

  it.each(Object.entries(expected.integratedGradients))(
    'of integrated gradients by %s',
    async (name, { steps, scores }) => {
      const rule = name.replace('_', '-') as IntegrationRule;
      near(await scoresOf(variant, { of, method: 'integrated-gradients', rule, steps }), scores);
    },
  );

  it('of SmoothGrad with the same noise', async () => {
    const text = await openText(variant);
    const input = await embeddingsOf(text);
    const smooth = smoothText(text, parseExpression(of), { input });
    const noise = expected.smoothGrad.noise.map(fromRows);
    const found = await smoothGradient(smooth.of(parseExpression(of)), {
      ...{ samples: noise.length, stdev: 0.1, of: 'one', timesInput: false, average: 'mean', seed: 0, noise },
    });
    near(rowNorms(found.elements), expected.smoothGrad.norms);
    await text.model.dispose();
  });

  it('of tokens left out, and of Shapley values over the same orders', async () => {
    const text = await openText(variant);
    const units = unitsOf(text.model, text.prompt, { granularity: 'token', spans: undefined });
    const game = leftOutGame(text, {
      ...{ expression: parseExpression(of), units },
      leaving: { kind: 'token', id: golden.other, name: 'other' },
    });
    near((await occlusion(game)).scores, expected.ablation);
    const { orders, scores } = expected.shapley;
    near((await shapley(game, { samples: 1, seed: 0, permutations: orders })).scores, scores);
    await text.model.dispose();
  });
});

describe.each(Object.entries(golden.relevance))(
  "%s has the relevance that AttnLRP's rules give in PyTorch",
  (variant, kinds) => {
    const { target } = golden.captum['llama-default'] ?? { target: 0 };
    it.each(['attnlrp', 'cp'] as const)('%s', async (lrp) => {
      for (const engine of ['onnxruntime', 'reference'] as const)
        near(await scoresOf(variant, { of: `logit(${target})`, method: 'lrp', lrp, engine }), kinds[lrp].scores);
    });

    it('cp: with no bias in the model all of the logit is handed on', async () => {
      const scores = await scoresOf(variant, {
        of: `logit(${target})`,
        method: 'lrp',
        lrp: 'cp',
        engine: 'reference64',
      });
      const sum = scores.reduce<number>((a, b) => a + (b ?? 0), 0);
      expect(Math.abs(sum - kinds.cp.value)).toBeLessThan(1e-5 * Math.abs(kinds.cp.value));
    });
  },
);
