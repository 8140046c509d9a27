import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { canonicalName } from '../src/engine/index.js';
import { openWeights } from '../src/formats/index.node.js';
import type { Tensor } from '../src/tensor/index.js';
import { goldenFolder, goldenVariants, worstDifference, type GoldenPrompt } from './support/golden.js';
import { everySite, gradientPrompt, gradientsOf, openGolden } from './support/gradient-model.js';

interface Entry {
  readonly name: string;
  readonly expression: string;
  readonly edits: readonly string[];
  readonly value: number;
}
interface Golden {
  readonly prompt: GoldenPrompt;
  readonly entries: readonly Entry[];
}

/**
 * Of the largest number of a gradient, or of 1 where all are smaller, in float32: PyTorch's own float32 is up to 3.2e-6
 * from its float64 (`gradients.json`), and ours rounds in another order.
 */
const tolerance = 2e-5;

const goldenOf = (variant: string): Golden =>
  JSON.parse(readFileSync(path.join(goldenFolder, variant, 'gradients.json'), 'utf8')) as Golden;

const withGradients = goldenVariants().filter((v) => existsSync(path.join(goldenFolder, v, 'gradients.json')));

/** The largest difference, relative to the largest number expected, or to 1. */
const distance = (given: ArrayLike<number>, expected: ArrayLike<number>): number => {
  const largest = Array.from(expected).reduce((a, b) => Math.max(a, Math.abs(b)), 1);
  return worstDifference(given, expected) / largest;
};

const worst = new Map<string, number>();
afterAll(() => {
  if (process.env['CUTAWAY_SHOW_WORST'] === '1') console.log(worst);
});

describe.each(withGradients)("%s has PyTorch's gradients", (variant) => {
  const { prompt: given, entries } = goldenOf(variant);
  const engines = ['onnxruntime', 'reference'] as const;

  it.each(entries.flatMap((entry) => engines.map((engine) => [entry.name, engine, entry] as const)))(
    'of %s, on %s',
    async (name, engine, { expression, edits, value }) => {
      const golden = await openWeights(path.join(goldenFolder, variant, 'gradients.safetensors'));
      const keys = golden.names().filter((key) => key.startsWith(`${name}.`));
      const own = keys.map((key) => key.slice(name.length + 1));
      const weights = own.filter((key) => key.startsWith('weight ')).map((key) => key.slice('weight '.length));
      const model = await openGolden(variant, { engine });
      const siteOf = (key: string): string => canonicalName(model.program, key);
      const sites = own.filter((key) => !key.startsWith('weight ')).map(siteOf);
      const found = await gradientsOf(model, gradientPrompt(model, given), { expression, edits, sites, weights });
      expect(Math.abs(found.value - value)).toBeLessThan(tolerance * Math.max(1, Math.abs(value)));
      for (const [i, key] of keys.entries()) {
        const short = own[i] ?? '';
        const weight = found.weights.get(short.slice('weight '.length));
        const gradient = short.startsWith('weight ') ? weight : found.sites.get(siteOf(short));
        const expected = await golden.read(key);
        expect(gradient?.shape.slice(-expected.shape.length).join(), key).toBe(expected.shape.join());
        const off = distance(gradient?.data ?? [], expected.data);
        expect(off, key).toBeLessThan(tolerance);
        worst.set(`${variant} ${engine}`, Math.max(off, worst.get(`${variant} ${engine}`) ?? 0));
      }
      expect(keys.length).toBeGreaterThan(2);
      await model.dispose();
      await golden.close();
    },
  );
});

/** The part of a prompt that differences are taken on. */
const shortened = (prompt: GoldenPrompt): GoldenPrompt =>
  'target' in prompt ? { source: prompt.source.slice(0, 3), target: prompt.target.slice(0, 3) } : prompt.slice(0, 4);

const dot = (a: Tensor, b: Tensor | undefined): number =>
  Array.from(a.data as Float64Array).reduce((sum, x, i) => sum + x * Number(b?.data[i] ?? NaN), 0);

/**
 * Every site of a model, in float64: scaling a site's value by 1 + ε changes the scalar by ε · Σ gradient · value. The
 * site is scaled by an edit, so that nothing of gradients takes part in the differences.
 */
describe.each(withGradients)('%s against central differences', (variant) => {
  it('at every site', { timeout: 120_000 }, async () => {
    const model = await openGolden(variant, { engine: 'reference64' });
    const prompt = gradientPrompt(model, shortened(goldenOf(variant).prompt));
    const labels = model.program.facts.output === 'labels';
    const expression = labels
      ? 'logits[label=1] * logits[label=0]'
      : 'logits[position=-1, vocab=7] * logits[position=1, vocab=9]';
    const chosen = (await everySite(model, prompt)).filter((name) => !name.endsWith('.chosen')); // places, no numbers
    const found = await gradientsOf(model, prompt, { expression, sites: chosen, capture: chosen });
    const scaled = async (site: string, by: number): Promise<number> =>
      (await gradientsOf(model, prompt, { expression, edits: [`scale ${site} by ${1 + by}`] })).value;
    const central = async (site: string, step: number): Promise<number> =>
      ((await scaled(site, step)) - (await scaled(site, -step))) / (2 * step);
    let [kinks, moved] = [0, 0];
    for (const site of chosen) {
      const [near, far] = [await central(site, 2 ** -14), await central(site, 2 ** -13)];
      const scale = Math.max(1, Math.abs(near));
      if (Math.abs(near - far) > 1e-6 * scale) {
        kinks++; // a neuron of a ReLU, or a choice of experts, turns over within the step
        continue;
      }
      const gradient = found.sites.get(site);
      const along = gradient ? dot(gradient, found.values.get(site)) : NaN;
      expect(Math.abs(along - near) / scale, site).toBeLessThan(1e-6);
      if (Math.abs(along) > 1e-3) moved++;
    }
    expect(kinks).toBeLessThan(chosen.length / 20);
    expect(moved).toBeGreaterThan(chosen.length / 2);
    await model.dispose();
  });
});
