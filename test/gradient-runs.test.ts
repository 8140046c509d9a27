import { afterAll, describe, expect, it } from 'vitest';
import { gradientBatch, prepareExperiment, scalarBatch } from '../src/engine/index.js';
import type { OnnxruntimeBackend } from '../src/engine/onnxruntime/index.js';
import { parseExpression } from '../src/language/index.js';
import { contextFor } from '../src/service/experiment.js';
import { promptOfIds } from '../src/service/prompts.js';
import type { OpenModel } from '../src/service/index.js';
import { range, type Tensor } from '../src/tensor/index.js';
import { worstDifference } from './support/golden.js';
import { everySite, gradientsOf, openGolden, type AskedGradients } from './support/gradient-model.js';

const ids = [5, 42, 9, 31, 9];
const expression = 'logit(7) - logit(23)';

const models = new Map<string, Promise<OpenModel>>();
const opened = (variant: string, engine: 'onnxruntime' | 'reference64' = 'onnxruntime'): Promise<OpenModel> => {
  const key = `${variant} ${engine}`;
  const model = models.get(key) ?? openGolden(variant, { engine });
  models.set(key, model);
  return model;
};
afterAll(async () => {
  for (const model of models.values()) await (await model).dispose();
});

const promptFor = (model: OpenModel) =>
  model.program.facts.encoder ? promptOfIds(model, ids, [33, 8, 50]) : promptOfIds(model, ids);
const asked = async (model: OpenModel, request: AskedGradients) => gradientsOf(model, promptFor(model), request);

const numbersOf = (tensor: Tensor | undefined): readonly number[] => Array.from(tensor?.data ?? [], Number);
const sumOf = (tensor: Tensor | undefined): number => numbersOf(tensor).reduce((a, b) => a + Math.abs(b), 0);
const dot = (a: Tensor | undefined, b: Tensor | undefined): number => {
  const other = numbersOf(b);
  return numbersOf(a).reduce((sum, x, i) => sum + x * (other[i] ?? NaN), 0);
};

describe('what a gradient does not depend on', () => {
  it.each(['gpt2-default', 'llama-grouped', 'mixtral-default', 't5-default'])(
    '%s: whether values are kept or layers computed again, to the bit',
    async (variant) => {
      const model = await opened(variant);
      const sites = (await everySite(model, promptFor(model))).filter((name) => !name.endsWith('.result'));
      const weights = [model.program.facts.embedding];
      const kept = await asked(model, { expression, sites, weights });
      const again = await asked(model, { expression, sites, weights, keep: 'layers' });
      for (const site of sites) expect(again.sites.get(site), site).toEqual(kept.sites.get(site));
      expect(again.weights).toEqual(kept.weights);
      expect(sites.filter((site) => sumOf(kept.sites.get(site)) > 0).length).toBeGreaterThan(sites.length / 2);
    },
  );

  it.each(['gpt2-default', 'llama-grouped', 'gpt-neox-default', 't5-default'])(
    '%s: the same of the last layer alone, whose other rows are spared where nothing of them is asked for',
    async (variant) => {
      const model = await opened(variant);
      const { layers } = model.program.facts;
      const last = new RegExp(`^(?:decoder\\.)?blocks\\.${layers - 1}\\.`);
      const all = await everySite(model, promptFor(model));
      const sites = all.filter((name) => last.test(name) && !name.endsWith('.result'));
      expect(sites.length).toBeGreaterThan(8);
      for (const wanted of [sites, ...sites.map((site) => [site])]) {
        const kept = await asked(model, { expression, sites: wanted });
        const again = await asked(model, { expression, sites: wanted, keep: 'layers' });
        for (const site of wanted) expect(again.sites.get(site), site).toEqual(kept.sites.get(site));
      }
      const weights = model.program.segments
        .find((s) => s.kind === 'block' && s.layer === layers - 1 && s.stack !== 'encoder')
        ?.graph.params.map((p) => p.name);
      const kept = await asked(model, { expression, weights: weights ?? [] });
      const again = await asked(model, { expression, weights: weights ?? [], keep: 'layers' });
      expect(again.weights).toEqual(kept.weights);
    },
  );

  it.each(['apart', 'inputs', 'mapped'] as const)('how weights reach the products: %s', async (binding) => {
    const sites = ['embed', 'blocks.1.attn.pattern', 'blocks.0.mlp.pre'];
    const weights = ['transformer.h.1.mlp.c_fc.weight', 'transformer.wte.weight'];
    const packed = await asked(await opened('gpt2-default'), { expression, sites, weights });
    const model = await openGolden('gpt2-default', { binding });
    const found = await asked(model, { expression, sites, weights });
    for (const [name, tensor] of [...packed.sites, ...packed.weights]) {
      const other = found.sites.get(name) ?? found.weights.get(name);
      expect(worstDifference(numbersOf(other), numbersOf(tensor)), name).toBeLessThan(1e-5);
    }
    await model.dispose();
  });

  it('which scalar it is: another one compiles nothing', async () => {
    const model = await openGolden('gpt2-default');
    const backend = model.backend as OnnxruntimeBackend;
    const first = await asked(model, { expression, sites: ['embed'] });
    const made = backend.sessionsMade;
    const second = await asked(model, { expression: 'entropy * logprob(3)', sites: ['embed'] });
    const third = await asked(model, { expression: 'prob(3)', sites: ['embed'], edits: [] });
    expect(backend.sessionsMade).toBe(made);
    expect(new Set([first, second, third].map((g) => sumOf(g.sites.get('embed')))).size).toBe(3);
    await model.dispose();
  });

  it('which other texts run beside it, to the bit: those that only have values', async () => {
    const model = await opened('gpt2-default');
    const { variant } = await prepareExperiment(contextFor(model, promptOfIds(model, ids), 0), []);
    const item = (own: readonly number[]) => ({
      expression: parseExpression(expression),
      prompt: promptOfIds(model, own),
    });
    const texts = [ids, [3, 8, 50, 2, 11], [1, 2, 3, 4, 5]].map(item);
    const sites = ['embed', 'blocks.0.resid_post'];
    const each = await gradientBatch(model, { variant, sites, items: texts });
    const some = await gradientBatch(model, { variant, sites, items: texts, back: 2 });
    expect(some.scalars).toEqual(each.scalars);
    expect(await scalarBatch(model, { variant, items: texts })).toEqual(each.scalars);
    for (const site of sites) {
      const whole = each.sites.get(site);
      if (!whole) throw new Error(`no gradient by ${site}`);
      expect(some.sites.get(site)).toEqual(range(whole, 0, [0, 2]));
    }
  });

  it('which rows of the last layer are computed', async () => {
    const model = await opened('gpt2-default');
    const spared = await asked(model, { expression, sites: ['embed'] });
    const whole = await asked(model, { expression, sites: ['embed', 'blocks.1.mlp.post'] }); // a site inside: all rows
    const [a, b] = [spared, whole].map((found) => numbersOf(found.sites.get('embed')));
    expect(spared.value).toBe(whole.value);
    expect(worstDifference(a ?? [], b ?? [])).toBeLessThan(1e-6);
  });

  it('what else is captured: the values of a pass with gradients are those of one without', async () => {
    const model = await opened('gpt2-default');
    const capture = (await everySite(model, promptFor(model))).filter((name) => !name.endsWith('.result'));
    const alone = await asked(model, { expression, capture });
    const both = await asked(model, { expression, capture, sites: capture });
    for (const name of capture) expect(both.values.get(name), name).toEqual(alone.values.get(name));
  });
});

/** Scaling a site after all other edits: what reads it reads it scaled. */
const bySite = async (model: OpenModel, request: AskedGradients, site: string): Promise<number> => {
  const scaled = async (by: number): Promise<number> =>
    (await asked(model, { ...request, edits: [...(request.edits ?? []), `scale ${site} by ${1 + by}`] })).value;
  const step = 2 ** -14;
  return ((await scaled(step)) - (await scaled(-step))) / (2 * step);
};

describe('a text of two tokens', () => {
  it.each(['gpt2-default', 'llama-grouped'])(
    '%s: its last row, which the head runs twice, is not taken for both of its rows',
    async (variant) => {
      const model = await opened(variant);
      const prompt = promptOfIds(model, [5, 17]);
      const of = async (text: string) =>
        (await gradientsOf(model, prompt, { expression: text, sites: ['embed'] })).sites;
      const [last, named] = [await of('logit(7)'), await of('logit(7) at position 1')];
      expect(worstDifference(numbersOf(last.get('embed')), numbersOf(named.get('embed')))).toBeLessThan(1e-6);
      expect(sumOf(named.get('embed'))).toBeGreaterThan(0);
    },
  );
});

describe('several texts at once', () => {
  it.each(['gpt2-default', 'llama-grouped', 'bert-masked', 't5-default'])(
    '%s: each has the gradients that it has by itself',
    async (variant) => {
      const model = await opened(variant);
      const prompts = [
        [5, 42, 9],
        [31, 8, 50],
        [7, 7, 7],
      ].map((own) => (model.program.facts.encoder ? promptOfIds(model, own, [33, 8]) : promptOfIds(model, own)));
      const texts = ['logit(7) - logit(23)', 'logprob(9) at position 1', 'entropy'];
      const sites = (await everySite(model, promptFor(model))).filter((name) => /(^|\.)(embed|attn\.q)$/.test(name));
      const items = prompts.map((prompt, i) => ({ prompt, expression: parseExpression(texts[i] ?? 'loss') }));
      const { variant: plain } = await prepareExperiment(contextFor(model, prompts[0] ?? promptFor(model), 0), []);
      const all = await gradientBatch(model, { variant: plain, items, sites });
      for (const [i, prompt] of prompts.entries()) {
        const alone = await gradientsOf(model, prompt, { expression: texts[i] ?? '', sites });
        expect(Math.abs((all.scalars[i] ?? NaN) - alone.value)).toBeLessThan(1e-5);
        for (const site of sites) {
          const whole = all.sites.get(site);
          const own = whole && range(whole, 0, [i, i + 1]);
          expect(worstDifference(numbersOf(own), numbersOf(alone.sites.get(site))), site).toBeLessThan(1e-5);
        }
      }
      expect(sites.length).toBeGreaterThan(1);
    },
  );
});

describe('gradients under edits, against central differences', () => {
  it.each([
    ['llama-grouped', 'skip layer 1', ['embed', 'blocks.0.attn.z', 'blocks.2.resid_pre']],
    ['llama-grouped', 'repeat layer 1', ['embed', 'blocks.1.attn.z', 'blocks.1#2.attn.z', 'blocks.1#2.resid_pre']],
    ['gpt2-default', 'swap layers 0 2', ['embed', 'blocks.0.attn.pattern', 'blocks.2.mlp.post']],
    ['gpt2-default', 'scale blocks.1.attn.z[head=1] by 0', ['blocks.1.attn.z', 'blocks.1.attn.v', 'embed']],
    ['gpt2-default', 'set blocks.0.mlp.post[position=2] = 3', ['blocks.0.mlp.post', 'blocks.0.mlp.pre', 'embed']],
    ['gpt2-default', 'scale blocks.1.attn.result[head=2] by -2', ['blocks.1.attn.result', 'blocks.1.attn.z', 'embed']],
    [
      'gpt2-default',
      'weight transformer.h.1.mlp.c_fc.weight *= 1.5',
      ['embed', 'blocks.1.mlp.pre', 'blocks.1.resid_mid'],
    ],
    ['t5-default', 'drop head decoder.cross.0.1', ['encoder.embed', 'decoder.blocks.0.cross_attn.k', 'decoder.embed']],
    ['t5-default', 'skip layer encoder.0', ['encoder.embed', 'encoder.blocks.1.attn.z', 'decoder.blocks.1.resid_pre']],
  ])('%s: %s', async (variant, edit, sites) => {
    const model = await opened(variant, 'reference64');
    const request = { expression: 'logits[position=-1, vocab=7] * logits[position=1, vocab=9]', edits: [edit] };
    const found = await asked(model, { ...request, sites, capture: sites });
    for (const site of sites) {
      const expected = await bySite(model, request, site);
      const along = dot(found.sites.get(site), found.values.get(site));
      expect(Math.abs(along - expected) / Math.max(1, Math.abs(expected)), site).toBeLessThan(1e-6);
      expect(sumOf(found.sites.get(site)), site).toBeGreaterThan(1e-3);
    }
  });

  it('of a weight that several places read, by scaling it', async () => {
    const model = await opened('llama-grouped', 'reference64');
    const name = 'model.layers.1.mlp.up_proj.weight';
    const edits = ['repeat layer 1'];
    const text = 'logits[position=-1, vocab=7]';
    const found = await asked(model, { expression: text, edits, weights: [name] });
    const scaled = async (by: number): Promise<number> =>
      (await asked(model, { expression: text, edits: [...edits, `weight ${name} *= ${1 + by}`] })).value;
    const step = 2 ** -8;
    const expected = ((await scaled(step)) - (await scaled(-step))) / (2 * step);
    const along = dot(found.weights.get(name), await model.weights.read(name));
    // Edited weights are float32: 2^-24 / 2^-8 of them is lost.
    expect(Math.abs(along - expected) / Math.max(1, Math.abs(expected))).toBeLessThan(1e-3);
    expect(Math.abs(expected)).toBeGreaterThan(0.1);
  });

  it.each(['gpt2-default', 'llama-grouped', 'bert-masked'])('%s: of a text of one token', async (variant) => {
    const model = await opened(variant, 'reference64');
    const prompt = promptOfIds(model, [17]);
    const text = 'logits[position=0, vocab=7] * logits[position=0, vocab=9]';
    const sites = ['embed', 'blocks.0.attn.scores', 'blocks.1.attn.v', 'blocks.1.mlp.post'];
    const found = await gradientsOf(model, prompt, { expression: text, sites, capture: sites });
    for (const site of sites) {
      const scaled = async (by: number): Promise<number> =>
        (await gradientsOf(model, prompt, { expression: text, edits: [`scale ${site} by ${1 + by}`] })).value;
      const expected = ((await scaled(2 ** -14)) - (await scaled(-(2 ** -14)))) / 2 ** -13;
      expect(found.sites.get(site)?.shape, site).toEqual(found.values.get(site)?.shape);
      const along = dot(found.sites.get(site), found.values.get(site));
      expect(Math.abs(along - expected) / Math.max(1, Math.abs(expected)), site).toBeLessThan(1e-6);
    }
    const byScores = await gradientsOf(model, prompt, { expression: 'logit(7) * logit(9)', sites });
    for (const site of sites)
      expect(worstDifference(numbersOf(byScores.sites.get(site)), numbersOf(found.sites.get(site)))).toBeLessThan(1e-5);
  });
});

describe('gradients changed on their way back', () => {
  it('to nothing: nothing comes to what is before', async () => {
    const model = await opened('gpt2-default');
    const sites = ['embed', 'blocks.0.resid_post', 'blocks.1.resid_post', 'blocks.2.resid_post'];
    const edits = ['set grad(blocks.1.resid_post) = zero'];
    const found = await asked(model, { expression, sites, edits });
    expect(sites.map((site) => sumOf(found.sites.get(site)) > 0)).toEqual([false, false, false, true]);
  });

  it('of one head: the others keep their bits, and so does what comes after', async () => {
    const model = await opened('llama-grouped');
    const sites = ['blocks.1.attn.z', 'blocks.1.attn_out', 'embed'];
    const with_ = (by: number): ReturnType<typeof asked> =>
      asked(model, { expression, sites, edits: [`scale grad(blocks.1.attn.z)[head=1] by ${by}`] });
    const [none, plain, twice] = [await with_(0), await with_(1), await with_(2)];
    const width = 4 * 8;
    const heads = (g: typeof plain): number[][] => {
      const rows = numbersOf(g.sites.get('blocks.1.attn.z'));
      return [0, 1, 2, 3].map((h) => rows.filter((_, i) => Math.floor((i % width) / 8) === h));
    };
    const [first, second, third, fourth] = heads(plain);
    expect(heads(twice)).toEqual([first, second?.map((x) => 2 * x), third, fourth]);
    expect(twice.sites.get('blocks.1.attn_out')).toEqual(plain.sites.get('blocks.1.attn_out'));
    const [a, b, c] = [none, plain, twice].map((g) => numbersOf(g.sites.get('embed')));
    const bent = (a ?? []).map((x, i) => x + (c?.[i] ?? NaN) - 2 * (b?.[i] ?? NaN)); // what comes back is linear in it
    expect(worstDifference(bent, new Float32Array(bent.length))).toBeLessThan(1e-5);
    expect(worstDifference(a ?? [], b ?? [])).toBeGreaterThan(1e-3);
  });

  it('of a summand that is made to be looked at: refused', async () => {
    const model = await opened('gpt2-default');
    const edits = ['scale grad(blocks.1.attn.result)[head=1] by 0'];
    await expect(asked(model, { expression, edits })).rejects.toThrow('nothing goes back through blocks.1.attn.result');
  });
});

describe('gradients where little or nothing comes', () => {
  it('are zeros behind what the scalar reads, in the shape of the site', async () => {
    const model = await opened('gpt2-default');
    const sites = ['blocks.0.mlp.post', 'blocks.1.attn.pattern', 'logits'];
    const found = await asked(model, { expression: 'blocks.0.mlp.post[position=2, neuron=5]', sites, capture: sites });
    expect(numbersOf(found.sites.get('blocks.0.mlp.post')).filter((x) => x !== 0)).toEqual([1]);
    for (const site of sites.slice(1)) {
      expect(sumOf(found.sites.get(site))).toBe(0);
      expect(found.sites.get(site)?.shape).toEqual(found.values.get(site)?.shape);
    }
  });

  it("are zeros of a decoder, for a scalar of its encoder, and of a weight that nobody's gradient reaches", async () => {
    const model = await opened('t5-default');
    const sites = ['encoder.embed', 'decoder.blocks.0.attn.z'];
    const weights = ['decoder.block.0.layer.0.SelfAttention.q.weight', 'shared.weight'];
    const found = await asked(model, { expression: 'norm(encoder.blocks.1.resid_post)', sites, weights });
    expect([...sites, ...weights].map((n) => sumOf(found.sites.get(n) ?? found.weights.get(n)) > 0)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('are of each head what they are of their sum', async () => {
    const model = await opened('gpt2-default');
    const found = await asked(model, { expression, sites: ['blocks.1.attn.result', 'blocks.1.attn_out'] });
    const [result, out] = [found.sites.get('blocks.1.attn.result'), found.sites.get('blocks.1.attn_out')];
    expect(result?.shape).toEqual([1, 5, 4, 24]);
    const sums = numbersOf(out);
    const expected = numbersOf(result).map((_, i) => sums[Math.floor(i / 96) * 24 + (i % 24)]);
    expect(numbersOf(result)).toEqual(expected);
  });

  it('come from a site on request that the scalar reads', async () => {
    const model = await opened('gpt2-default', 'reference64');
    const text = 'norm(blocks.1.attn.result[head=2])';
    const site = 'blocks.1.attn.z';
    const found = await asked(model, { expression: text, sites: [site], capture: [site] });
    const expected = await bySite(model, { expression: text }, site);
    expect(Math.abs(dot(found.sites.get(site), found.values.get(site)) - expected)).toBeLessThan(1e-6);
    expect(expected).toBeGreaterThan(0.1);
  });
});

describe('what has no gradient', () => {
  it.each([
    ['gpt2-default', 'rank(7)', 'rank has no gradient'],
    ['gpt2-default', 'blocks.9.attn.z[head=0]', 'no site named blocks.9.attn.z'],
    ['gpt2-default', 'logit(999)', 'no token has id 999'],
    ['bert-three-labels', 'logit("t7")', 'this model scores labels, not words'],
  ])('%s: %s', async (variant, text, message) => {
    const model = await opened(variant);
    await expect(asked(model, { expression: text, sites: ['embed'] })).rejects.toThrow(message);
  });
});
