import { afterAll, describe, expect, it } from 'vitest';
import { canonicalName, forward, generate, runOrder } from '../src/engine/index.js';
import type { Program } from '../src/graph/index.js';
import { generationRules } from '../src/service/generation-rules.js';
import { openModel } from '../src/service/index.js';
import { toFloat32 } from '../src/tensor/index.js';
import { generates, goldenVariants, greedyOf, promptOf, readGolden, worstDifference } from './support/golden.js';
import { writeParityTable } from './support/parity-table.js';

/**
 * Absolute, in float32: sums of a few hundred terms of size 1 differ by a few 1e-6 with the order of summation.
 * What was seen stands in docs/families.md: with CUTAWAY_WRITE_TABLE=1 this test writes its table.
 */
const tolerance = 2e-5;

const worst = { onnxruntime: new Map<string, number>(), reference: new Map<string, number>() };

afterAll(async () => {
  if (process.env['CUTAWAY_WRITE_TABLE'] === '1') await writeParityTable(goldenVariants(), worst);
});

const unchanged = (model: Awaited<ReturnType<typeof openModel>>) => ({
  order: runOrder(model.program, []),
  edits: new Map(),
  weights: new Map(),
});

/** The prompt of which all sites are stored comes first, so that the first difference is the nearest to its cause. */
const fullestFirst = (prompts: readonly string[], names: readonly string[]): readonly string[] => {
  const stored = (prompt: string): number => names.filter((name) => name.startsWith(`${prompt}.`)).length;
  return [...prompts].sort((a, b) => stored(b) - stored(a));
};

/** Names of golden tensors in the order in which a run computes their sites. */
const inForwardOrder = (
  program: Program,
  names: readonly string[],
  siteOf: (name: string) => string,
): readonly string[] => {
  const sites = program.segments.flatMap(({ graph }) => graph.sites.map((site) => site.name));
  const place = new Map(sites.map((site, i) => [site, i]));
  return [...names].sort((a, b) => (place.get(siteOf(a)) ?? -1) - (place.get(siteOf(b)) ?? -1));
};

describe.each(goldenVariants())('%s agrees with transformers', (variant) => {
  it.each(['onnxruntime', 'reference'] as const)('in logits, hidden states and attentions, on %s', async (engine) => {
    const { folder, golden, tensors } = await readGolden(variant);
    const model = await openModel(folder, { device: 'cpu', engine });
    let compared = 0;
    for (const prompt of fullestFirst(Object.keys(golden.prompts), tensors.names())) {
      const siteOf = (name: string): string => canonicalName(model.program, name.slice(prompt.length + 1));
      const stored = tensors.names().filter((name) => name.startsWith(`${prompt}.`));
      const names = inForwardOrder(model.program, stored, siteOf);
      const capture = new Set(names.map(siteOf));
      const { sites } = await forward(model, {
        ...{ variant: unchanged(model), capture, logits: 'all' },
        ...promptOf(golden.prompts[prompt] ?? []),
      });
      for (const name of names) {
        const value = sites.get(siteOf(name));
        const expected = await tensors.read(name);
        expect(value?.shape.slice(-expected.shape.length).join(), name).toBe(expected.shape.join());
        const difference = worstDifference(value ? toFloat32(value) : [], expected.data);
        expect(difference, name).toBeLessThan(tolerance);
        worst[engine].set(variant, Math.max(difference, worst[engine].get(variant) ?? 0));
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(8);
    await model.dispose();
    await tensors.close();
  });
});

describe.each(goldenVariants().filter(generates))('%s agrees with transformers', (variant) => {
  it('in 20 greedy tokens', async () => {
    const { folder, golden, tensors } = await readGolden(variant);
    const model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime' });
    const { prompt, ids, source } = greedyOf(golden);
    const steps = generate(model, {
      variant: unchanged(model),
      ids: prompt,
      ...(source ? { source } : {}),
      forced: generationRules(model, prompt.length).forced,
      maxNewTokens: ids.length,
      sampling: {},
      eos: new Set(),
    });
    const made: number[] = [];
    for await (const { taken } of steps) if (taken) made.push(taken.id);
    expect(made).toEqual(ids);
    await model.dispose();
    await tensors.close();
  });
});
