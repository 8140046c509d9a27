import { describe, expect, it } from 'vitest';
import { gradients, placedSites, prepareExperiment } from '../src/engine/index.js';
import { parseEdits, parseExpression } from '../src/language/index.js';
import { contextFor } from '../src/service/experiment.js';
import { openModel } from '../src/service/index.js';
import { promptOfIds } from '../src/service/prompts.js';
import { promptOf, readGolden } from './support/golden.js';

const families = [
  'gpt2-default',
  'llama-grouped',
  'gemma2-default',
  'gpt-neox-default',
  'mixtral-default',
  'bert-masked',
  'bert-three-labels',
  't5-default',
  'bart-default',
];
describe('x', () => {
  it.each(families)(
    '%s',
    async (variant) => {
      const { folder, golden } = await readGolden(variant);
      const model = await openModel(folder, { device: 'cpu', engine: 'reference64' });
      const {
        ids: [own = []],
        source,
      } = promptOf(golden.prompts['long'] ?? []);
      const prompt = source?.[0]
        ? promptOfIds(model, source[0].slice(0, 6), own.slice(1, 5))
        : promptOfIds(model, own.slice(0, 6));
      const text =
        model.program.facts.output === 'labels'
          ? 'logits[label=1] - logits[label=0]'
          : 'logits[position=-1, vocab=7] - 0.5 * logits[position=2, vocab=9]';
      const expression = parseExpression(text);
      const of = async (lines: string, sites: string[], capture: string[], weights: string[] = []) => {
        const { variant: v } = await prepareExperiment(contextFor(model, prompt, 0), parseEdits(lines));
        return gradients(model, { variant: v, expression, prompt, sites, capture, weights });
      };
      const { variant: plain } = await prepareExperiment(contextFor(model, prompt, 0), []);
      const names = placedSites(plain.order)
        .map((p) => p.name)
        .filter((n) => !n.endsWith('.chosen'));
      const base = await of('', names, names);
      let worst = 0,
        where = '',
        nonzero = 0;
      for (const name of names) {
        const e = 2 ** -8;
        const up = (await of(`scale ${name} by ${1 + e}`, [], [])).value;
        const down = (await of(`scale ${name} by ${1 - e}`, [], [])).value;
        const fd = (up - down) / (2 * e);
        const g = base.sites.get(name)!,
          x = base.values.get(name)!;
        let dot = 0;
        for (let i = 0; i < g.data.length; i++) {
          const v = (g.data[i] as number) * Number(x.data[i]);
          dot += Number.isFinite(v) ? v : NaN;
        }
        const d = Math.abs(dot - fd) / Math.max(1, Math.abs(fd));
        if (Math.abs(fd) > 1e-3) nonzero++;
        if (!(d <= worst)) {
          worst = d;
          where = name + ` ${dot} ${fd}`;
        }
      }
      console.log(variant, names.length, nonzero, worst, where);
      await model.dispose();
      expect(worst).toBeLessThan(1);
    },
    300000,
  );
});
