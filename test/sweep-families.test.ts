import { describe, expect, it } from 'vitest';
import { placedSites, runOrder, Sweep, type Prompt, type SweepRequest, type SweptRun } from '../src/engine/index.js';
import { openModel } from '../src/service/index.js';
import { goldenVariants, readGolden, worstDifference, type GoldenPrompt } from './support/golden.js';

const changed = /(?:^|\.)(?:embed|resid_pre|attn_out|mlp_out|z)$/;
const promptOf = (ids: readonly number[], source?: readonly number[]): Prompt => {
  const named = (list: readonly number[]) => ({ ids: list, tokens: list.map((id) => ({ text: `[${id}]` })) });
  return { ...named(ids), ...(source ? { source: named(source) } : {}) };
};
const halves = (prompt: GoldenPrompt): Prompt =>
  'target' in prompt ? promptOf(prompt.target, prompt.source) : promptOf(prompt);

/** A prompt of the golden file with at least four tokens, and the same with every token another one of it. */
const promptsOf = (all: Readonly<Record<string, GoldenPrompt>>): readonly [Prompt, Prompt] | undefined => {
  const [prompt] = Object.values(all)
    .map(halves)
    .filter((p) => p.ids.length > 3);
  return prompt && [prompt, promptOf([...prompt.ids].reverse(), prompt.source?.ids)];
};

describe('a sweep with rows side by side gives what one without gives, and scores of some tokens what all give', () => {
  it.each(goldenVariants())('%s', async (variant) => {
    const { folder, golden, tensors } = await readGolden(variant);
    await tensors.close();
    const prompts = promptsOf(golden.prompts);
    if (!prompts) return;
    const [prompt, other] = prompts;
    const model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime', threads: 1 });
    const order = runOrder(model.program, []);
    const sites = placedSites(order).filter(
      ({ name, type }) => changed.test(name) && !name.includes('encoder') && type.axes.includes('position'),
    );
    const last = prompt.ids.length - 1;
    const tokens = [1, 0];
    const sweptAs = async (sideBySide: 'always' | 'never', read: Partial<SweepRequest>) => {
      const { program, compilations } = model;
      const sweep = await Sweep.open(
        { program, compilations, variant: { order, edits: new Map(), weights: new Map() }, sideBySide },
        { prompt, changes: sites.map((s) => s.name), positions: [last], ...read },
      );
      const clean = await sweep.other(other);
      const variants = sites.flatMap(({ name, type }) =>
        [0, 1, last].map((row) => ({
          changes: [
            {
              site: name,
              indices: type.axes.map((axis) => (axis === 'position' ? [row] : undefined)),
              to: { kind: 'value', tensor: clean.site(name) } as const,
            },
          ],
        })),
      );
      const scores: number[][] = variants.map(() => []);
      const scoreOf = (run: SweptRun, id: number) => run.logit?.(last, id) ?? run.logits(last)?.[id] ?? NaN;
      await sweep.run(variants, (v, run) => void (scores[v] = tokens.map((id) => scoreOf(run, id))));
      return scores.flat();
    };
    const apart = await sweptAs('never', {});
    const together = await sweptAs('always', { tokens });
    await model.dispose();
    expect(apart.length).toBeGreaterThan(0);
    const largest = Math.max(1, ...apart.map(Math.abs));
    expect(worstDifference(together, apart) / largest).toBeLessThan(2e-6);
  });
});
