import { describe, expect, it } from 'vitest';
import { goldenVariants, readGolden, worstDifference, type GoldenPrompt } from './support/golden.js';
import { everySite, gradientPrompt, gradientsOf, openGolden } from './support/gradient-model.js';

/**
 * Of the largest number of a gradient, or of 1: float32 beside float64. Over all 216 variants the largest seen is
 * 1.4e-5, of a Marian with six layers of decoder.
 */
const tolerance = 2e-5;

const beginning = (prompt: GoldenPrompt): GoldenPrompt =>
  'target' in prompt ? { source: prompt.source.slice(0, 4), target: prompt.target.slice(0, 3) } : prompt.slice(0, 4);

/** The first variant of each family, by the beginning of its name. */
const families = [...new Map(goldenVariants().map((v) => [v.replace(/-(?!text|moe|neo|neox).*/, ''), v])).values()];

const chosen = /(^|\.)embed$|blocks\.1\.(attn\.pattern|ln1\.normalized|resid_mid|mlp\.post)$/;

describe.each(families)('%s', (variant) => {
  it('has the same gradients in float32 and float64, of all sites and weights, and those of differences', async () => {
    const { golden, tensors } = await readGolden(variant);
    await tensors.close();
    const [model, exact] = [await openGolden(variant), await openGolden(variant, { engine: 'reference64' })];
    const prompt = gradientPrompt(model, beginning(golden.prompts['long'] ?? []));
    const labels = model.program.facts.output === 'labels';
    const sites = (await everySite(model, prompt)).filter((name) => !name.endsWith('.chosen'));
    const weights = [...new Set(model.program.segments.flatMap((s) => s.graph.params.map((p) => p.name)))];
    const request = { expression: labels ? 'logit(1) * logit(0)' : 'logit(7) * logprob(9) at position 1' };
    const found = await gradientsOf(model, prompt, { ...request, sites, weights });
    const wide = await gradientsOf(exact, prompt, { ...request, sites, weights });
    for (const [name, { data }] of [...found.sites, ...found.weights]) {
      const expected = (wide.sites.get(name) ?? wide.weights.get(name))?.data ?? [];
      const largest = Array.from(expected).reduce((most, x) => Math.max(most, Math.abs(x)), 1);
      expect(worstDifference(data, expected) / largest, name).toBeLessThan(tolerance);
    }
    const probed = sites.filter((name) => chosen.test(name));
    const expression = labels ? 'logits[label=1]' : 'logits[position=-1, vocab=7]';
    const { sites: slopes, values } = await gradientsOf(exact, prompt, { expression, sites: probed, capture: probed });
    for (const site of probed) {
      const scaled = async (by: number): Promise<number> =>
        (await gradientsOf(exact, prompt, { expression, edits: [`scale ${site} by ${1 + by}`] })).value;
      const step = 2 ** -14;
      const difference = ((await scaled(step)) - (await scaled(-step))) / (2 * step);
      const value = values.get(site)?.data ?? [];
      const along = Array.from(slopes.get(site)?.data ?? []).reduce((sum, x, i) => sum + x * Number(value[i]), 0);
      expect(Math.abs(along - difference) / Math.max(1, Math.abs(difference)), site).toBeLessThan(1e-6);
    }
    expect(probed.length).toBeGreaterThan(2);
    await model.dispose();
    await exact.dispose();
  });

  it('has the same gradients by its embeddings where the last layer computes one row alone', async () => {
    const { golden, tensors } = await readGolden(variant);
    await tensors.close();
    const model = await openGolden(variant);
    const prompt = gradientPrompt(model, golden.prompts['long'] ?? []);
    const expression = model.program.facts.output === 'labels' ? 'logit(1)' : 'logit(7) - logit(9)';
    const all = await everySite(model, prompt);
    const embeddings = all.filter((name) => /(^|\.)embed$/.test(name));
    const last = all.filter((name) => name.endsWith('.attn.z')).slice(-1); // asked for, it needs every row
    const spared = await gradientsOf(model, prompt, { expression, sites: embeddings });
    const whole = await gradientsOf(model, prompt, { expression, sites: [...embeddings, ...last] });
    expect(spared.value).toBe(whole.value);
    for (const site of embeddings) {
      const [own, other] = [spared, whole].map(({ sites }) => sites.get(site)?.data ?? []);
      const largest = Array.from(other ?? []).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expect(largest).toBeGreaterThan(0);
      expect(worstDifference(own ?? [], other ?? []) / largest, site).toBeLessThan(tolerance);
    }
    await model.dispose();
  });
});
