/** Attention as the host holds it for the page, and what parts write, against what `inspect` says of the same sites. */
import { afterAll, describe, expect, it } from 'vitest';
import { openFolder } from '../src/formats/index.node.js';
import {
  attentionInput,
  inspectInput,
  writesInput,
  type AttentionResult,
  type HostParams,
  type ViewResult,
  type WritesResult,
} from '../src/protocol/index.js';
import { capture } from '../src/service/capture-sites.js';
import type { HeldValue } from '../src/service/host/held.js';
import { makeDispatch } from '../src/service/host/methods.js';
import { openModel, promptOfIds } from '../src/service/index.js';
import { ModelPool } from '../src/service/model-pool.js';
import { Arena } from '../src/tensor/index.js';
import { gpt2, llama, tiny } from './cli/command.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const ids = [5, 42, 9, 31, 7, 5];
const t5 = tiny('t5-default');

const state = {
  models: new ModelPool(2 ** 30),
  arena: new Arena<HeldValue>(2 ** 24),
  ...{ weights: new WeakMap(), handles: new Map(), revisions: new Map(), debugged: new Map() },
};
const dispatch = makeDispatch(state);
afterAll(() => state.models.close());

const targetOf = (model: string | undefined) => (model === t5 ? { targetIds: [7, 8, 3] } : {});
const ask = async (given: Omit<HostParams<'attention'>, 'run'>): Promise<AttentionResult> =>
  (
    await dispatch(
      { method: 'attention', params: { ids, run: 'a', ...targetOf(given.model), ...given } },
      { ...context, models: state.models },
    )
  ).output as AttentionResult;

const numbers = async (
  site: string,
  as: object = { kind: 'slice' },
): Promise<{ shape: readonly number[]; data: Float32Array }> => {
  const { output, payload } = await dispatch({ method: 'view', params: { at: { run: 'a', site }, as } }, context);
  const { view, shape } = output as ViewResult;
  return {
    shape: 'result' in view ? view.result : shape,
    data: new Float32Array(payload?.buffer ?? new ArrayBuffer(0)),
  };
};

/** What `inspect` reads. */
const inspected = async (model: string, sites: string): Promise<ReadonlyMap<string, Float32Array>> => {
  const open = await openModel(model, { device: 'cpu', engine: 'onnxruntime' });
  const prompt = promptOfIds(open, ids, model === t5 ? [7, 8, 3] : undefined);
  const { tensors } = await capture(open, { input: inspectInput.parse({ model, sites }), edits: [], prompt }, context);
  await open.dispose();
  return new Map([...tensors].map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]));
};

const far = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? NaN))), Math.abs(a.length - b.length));

describe.each([
  [llama, 'self', '**.attn.pattern'],
  [gpt2, 'self', '**.attn.pattern'],
  [t5, 'self', 'decoder.**.attn.pattern'],
  [t5, 'encoder', 'encoder.**.attn.pattern'],
  [t5, 'cross', '**.cross_attn.pattern'],
] as const)('attention of %s, %s', (model, kind, sites) => {
  it('has the numbers of inspect, all heads of all layers', async () => {
    const { layers, kinds } = await ask({ model, kind });
    const found = await inspected(model, sites);
    expect(layers.map((l) => l.site)).toEqual([...found.keys()]);
    expect(kinds).toContain(kind);
    for (const { site, heads, queries, keys, level } of layers) {
      const { data, shape } = await numbers(site);
      expect([...shape]).toEqual([heads, queries, keys]);
      expect(level).toBe(0);
      expect([...data]).toEqual([...(found.get(site) ?? [])]);
    }
  });

  it('is weighted by ‖v‖', async () => {
    const { layers } = await ask({ model, kind, value: 'weighted' });
    const found = await inspected(model, `${sites},${sites.replace('pattern', 'v')}`);
    const [{ site, heads, queries, keys } = { site: '', heads: 1, queries: 1, keys: 1 }] = layers;
    const [pattern, v] = [found.get(site) ?? [], found.get(site.replace(/pattern$/, 'v')) ?? new Float32Array()];
    const { data } = await numbers(site);
    const kvHeads = model === llama ? 2 : heads;
    const width = v.length / keys / kvHeads;
    const expected = Array.from({ length: heads * queries * keys }, (_, i) => {
      const [head, key] = [Math.floor(i / queries / keys), i % keys];
      const from = (key * kvHeads + Math.floor(head / (heads / kvHeads))) * width;
      return (pattern[i] ?? 0) * Math.hypot(...v.subarray(from, from + width));
    });
    expect(far(data, expected)).toBeLessThan(1e-6);
  });
});

describe('attention', () => {
  it('has the mean of chosen heads of several layers', async () => {
    const chosen = [
      { block: 'blocks.0', head: 1 },
      { block: 'blocks.2', head: 3 },
    ];
    const { layers } = await ask({ model: llama, show: 'mean', heads: chosen });
    expect(layers.map((l) => l.site)).toEqual(['mean']);
    const found = await inspected(llama, '**.attn.pattern');
    const size = ids.length ** 2;
    const parts = chosen.map(({ block, head }) =>
      found.get(`${block}.attn.pattern`)?.subarray(head * size, (head + 1) * size),
    );
    const { data } = await numbers('mean');
    expect(
      far(
        data,
        Array.from({ length: size }, (_, i) => ((parts[0]?.[i] ?? 0) + (parts[1]?.[i] ?? 0)) / 2),
      ),
    ).toBeLessThan(1e-7);
  });

  it('rolls out as far as it is asked to', async () => {
    await ask({ model: llama, show: 'rollout', through: 'blocks.1' });
    const found = await inspected(llama, '**.attn.pattern');
    const n = ids.length;
    const mixed = ['blocks.0', 'blocks.1'].map((block) =>
      Array.from({ length: n * n }, (_, i) => {
        const all = found.get(`${block}.attn.pattern`) ?? new Float32Array();
        const heads = all.length / n / n;
        const mean =
          Array.from({ length: heads }, (__, h) => all[h * n * n + i] ?? 0).reduce((a, b) => a + b, 0) / heads;
        return 0.5 * mean + (Math.floor(i / n) === i % n ? 0.5 : 0);
      }),
    );
    const [first = [], second = []] = mixed;
    const expected = Array.from({ length: n * n }, (_, i) =>
      Array.from(
        { length: n },
        (__, k) => (second[Math.floor(i / n) * n + k] ?? 0) * (first[k * n + (i % n)] ?? 0),
      ).reduce((a, b) => a + b, 0),
    );
    expect(far((await numbers('rollout')).data, expected)).toBeLessThan(1e-6);
  });

  it('leaves tokens out, and says so of its rest: a row sums to 1 again', async () => {
    const hide = { queries: [0], keys: [0], renormalise: true };
    const { layers } = await ask({ model: llama, hide });
    const { data } = await numbers(layers[0]?.site ?? '');
    const rows = Array.from({ length: data.length / ids.length }, (_, r) =>
      data.slice(r * ids.length, (r + 1) * ids.length),
    );
    for (const [r, row] of rows.entries()) {
      expect(row[0]).toBe(0);
      expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(r % ids.length === 0 ? 0 : 1, 5);
    }
  });

  it('never loses a bright cell in a small picture', async () => {
    const long = Array.from({ length: 40 }, (_, i) => (i * 7) % 50);
    const { layers } = await ask({ model: llama, ids: long, size: 16 });
    const [{ site, level, greatest } = { site: '', level: 0, greatest: 0 }] = layers;
    expect(level).toBe(2);
    const { data, shape } = await numbers(site, { kind: 'maxPyramid', level: 1, stack: 'head' });
    expect([...shape]).toEqual([4, 5, 5]);
    expect(Math.max(...data)).toBe(Math.fround(greatest));
  });

  it('tells what it will take before it computes, and refuses what is too much', async () => {
    const long = Array.from({ length: 40 }, (_, i) => i % 50);
    await expect(ask({ model: llama, ids: long, maxBytes: 10_000 })).rejects.toThrow('this attention would take');
  });

  it.each([
    [{ model: llama, kind: 'cross' }, 'no attention of the kind cross'],
    [{ model: llama, show: 'mean' }, 'no head'],
    [{ model: llama, show: 'mean', heads: [{ block: 'blocks.9', head: 0 }] }, 'blocks.9'],
    [{ model: llama, show: 'mean', heads: [{ block: 'blocks.0', head: 9 }] }, 'no head 9'],
    [{ model: t5, show: 'rollout', kind: 'cross' }, 'rollout'],
  ] as const)('refuses %j', async (given, message) => {
    await expect(ask({ ...given, heads: 'heads' in given ? [...given.heads] : [] })).rejects.toThrow(message);
  });
});

const askWrites = async (given: object): Promise<WritesResult> => {
  const params = { ids, model: llama, block: 'blocks.1', position: 3, ...given };
  const { output } = await dispatch(
    { method: 'writes', params: writesInput.parse(params) },
    { ...context, models: state.models },
  );
  return output as WritesResult;
};

describe('what parts write', () => {
  /** row · activation through the gain and the unembedding, the norm's divisor as it is. */
  const byHand = async (row: Float32Array, word: number): Promise<number> => {
    const { weights } = await openFolder(llama);
    const [gain, table] = [await weights.read('model.norm.weight'), await weights.read('lm_head.weight')];
    await weights.close();
    const scale = (await inspected(llama, 'ln_final.scale')).get('ln_final.scale')?.[3] ?? NaN;
    const width = row.length;
    return row.reduce(
      (sum, x, m) => sum + ((x * Number(gain.data[m])) / scale) * Number(table.data[word * width + m]),
      0,
    );
  };

  it('is a neuron’s output weights, as strong as it is there', async () => {
    const { weights } = await openFolder(llama);
    const { data, shape } = await weights.read('model.layers.1.mlp.down_proj.weight');
    await weights.close();
    const post = (await inspected(llama, 'blocks.1.mlp.post')).get('blocks.1.mlp.post') ?? new Float32Array();
    const neuron = 5;
    const width = shape[1] ?? 0;
    const by = post[3 * width + neuron] ?? NaN;
    const row = Float32Array.from({ length: shape[0] ?? 0 }, (_, m) => Number(data[m * width + neuron]) * by);
    const { neurons, notes } = await askWrites({ neurons: [neuron], words: [42], top: 100 });
    expect(notes).toEqual([]);
    const [told] = neurons;
    expect(told?.by).toBe(by);
    expect(told?.size).toBeCloseTo(Math.hypot(...row), 5);
    for (const { id, effect } of [
      ...(told?.words ?? []),
      ...(told?.raised.slice(0, 3) ?? []),
      ...(told?.lowered.slice(0, 3) ?? []),
    ])
      expect(effect).toBeCloseTo(await byHand(row, id), 4);
    expect(told?.raised[0]?.effect).toBeGreaterThan(told?.lowered[0]?.effect ?? 0);
  });

  it('is what a head hands over from a key: with all heads and keys, what attention adds', async () => {
    const found = await inspected(llama, 'blocks.1.attn.pattern,blocks.1.attn_out');
    const [pattern, out] = [
      found.get('blocks.1.attn.pattern') ?? [],
      found.get('blocks.1.attn_out') ?? new Float32Array(),
    ];
    const taken = [0, 1, 2, 3].flatMap((head) => [0, 1, 2, 3].map((key) => ({ head, key })));
    const told = (await askWrites({ taken, words: [42] })).taken;
    const n = ids.length;
    const sum = taken.reduce(
      (total, { head, key }, i) =>
        total + (pattern[head * n * n + 3 * n + key] ?? 0) * (told[i]?.words[0]?.effect ?? 0),
      0,
    );
    const width = out.length / n;
    expect(sum).toBeCloseTo(await byHand(out.slice(3 * width, 4 * width), 42), 4);
  });

  it('is told of a decoder, its cross-attention too', async () => {
    const given = { model: t5, targetIds: [7, 8, 3], block: 'decoder.blocks.1', position: 2 };
    const { taken, neurons } = await askWrites({ ...given, neurons: [0], taken: [{ head: 1, key: 2, isCross: true }] });
    expect(taken[0]?.size).toBeGreaterThan(0);
    expect(neurons[0]?.raised).toHaveLength(5);
  });

  it.each([
    [{ model: tiny('bert-masked') }, 'Gelu|Erf|Tanh'],
    [{ block: 'blocks.9' }, 'no block'],
    [{ neurons: [100_000] }, 'no neuron'],
    [{ taken: [{ head: 0, key: 99 }], neurons: [] }, 'no head'],
  ])('refuses %j', async (given, message) => {
    await expect(askWrites({ neurons: [0], ...given })).rejects.toThrow(new RegExp(message));
  });

  it('takes its input checked', () => {
    expect(attentionInput.safeParse({ model: 'm', run: 'r', size: 1 }).success).toBe(false);
  });
});
