import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/base/index.js';
import { forward, generate, KvCache, Pass, prepareExperiment, runOrder, type Variant } from '../src/engine/index.js';
import { makeOnnxruntime } from '../src/engine/onnxruntime/index.node.js';
import { cut, typesOf, type Graph } from '../src/graph/index.js';
import { parseEdits } from '../src/language/index.js';
import { openModel, type OpenModel } from '../src/service/index.js';
import { range, type Tensor } from '../src/tensor/index.js';
import { writeRandomModel } from './support/random-model.js';

/** Widths of 768 and more: with smaller ones packed and unpacked products happen to agree in the last bits. */
const configs: Readonly<Record<string, { config: JsonObject; dtype: 'F32' | 'BF16' }>> = {
  gpt2: {
    config: { model_type: 'gpt2', vocab_size: 1009, n_positions: 64, n_embd: 768, n_layer: 2, n_head: 12 },
    dtype: 'F32',
  },
  'llama, grouped, bfloat16': {
    config: {
      model_type: 'llama',
      vocab_size: 1009,
      hidden_size: 896,
      intermediate_size: 1024,
      num_hidden_layers: 2,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      max_position_embeddings: 64,
      rms_norm_eps: 1e-6,
    },
    dtype: 'BF16',
  },
};

const ids = Array.from({ length: 23 }, (_, i) => (i * 389 + 7) % 1009);
const plain = (model: OpenModel): Variant => ({
  order: runOrder(model.program, []),
  edits: new Map(),
  weights: new Map(),
});
const none: ReadonlySet<string> = new Set();
const bits = (tensor: Tensor | undefined): string =>
  Buffer.from(tensor?.data.buffer ?? new ArrayBuffer(0), tensor?.data.byteOffset, tensor?.data.byteLength).toString(
    'base64',
  );
const everySite = (model: OpenModel): ReadonlySet<string> =>
  new Set(model.program.segments.flatMap((s) => s.graph.sites.filter((t) => !t.onRequest).map((t) => t.name)));
const edited = async (model: OpenModel, text: string): Promise<Variant> => {
  const tokens = ids.map((id) => ({ text: `[${id}]` }));
  const context = {
    program: model.program,
    weights: model.weights,
    compilations: model.compilations,
    unedited: () => model.unedited(),
    prompt: { ids, tokens },
    sequence: { tokens, length: ids.length },
    encode: () => Promise.reject(new Error('no tokenizer')),
    tokenId: (token: string | number) => Promise.resolve(Number(token)),
    readVector: () => Promise.reject(new Error('no file')),
    readPrompts: () => Promise.reject(new Error('no file')),
    readRecorded: () => Promise.reject(new Error('no file')),
  };
  return (await prepareExperiment(context, parseEdits(text))).variant;
};

describe.each(Object.entries(configs))('%s: the same bits', (_, { config, dtype }) => {
  let folder = '';
  let model: OpenModel;
  let whole: Tensor | undefined;
  beforeAll(async () => {
    folder = writeRandomModel(mkdtempSync(path.join(tmpdir(), 'cutaway-exact-')), config, { dtype });
    model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime' });
    whole = (await forward(model, { variant: plain(model), ids: [ids], capture: none, logits: 'all' })).logits;
  });
  afterAll(async () => {
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  });
  const row = (position: number): string =>
    bits(whole && ({ ...whole, data: whole.data.slice(position * 1009, (position + 1) * 1009) } as Tensor));

  it('with every site captured, and with all sites made outputs', async () => {
    const captured = await forward(model, {
      variant: plain(model),
      ids: [ids],
      capture: everySite(model),
      logits: 'all',
    });
    expect(captured.sites.size).toBe(everySite(model).size);
    expect(bits(captured.logits)).toBe(bits(whole));
    const tapped = await forward(model, {
      variant: plain(model),
      ids: [ids],
      capture: none,
      logits: 'all',
      taps: 'all',
    });
    expect(bits(tapped.logits)).toBe(bits(whole));
  });

  it('with a cache, token by token and in pieces', async () => {
    const cache = new KvCache();
    for (const [from, to] of [
      [0, 9],
      [9, 10],
      [10, 11],
      [11, 16],
      [16, 17],
      [17, 23],
    ] as const) {
      const { logits } = await forward(model, {
        variant: plain(model),
        ids: [ids.slice(from, to)],
        cache,
        capture: none,
      });
      expect(bits(logits), `positions ${from} to ${to}`).toBe(row(to - 1));
    }
  });

  it('after going back in time', async () => {
    const cache = new KvCache();
    await forward(model, { variant: plain(model), ids: [ids.slice(0, 20)], cache, capture: none });
    cache.setLength(8);
    const { logits } = await forward(model, { variant: plain(model), ids: [ids.slice(8, 12)], cache, capture: none });
    expect(bits(logits)).toBe(row(11));
  });

  it('in a batch of prompts of different lengths', async () => {
    const lengths = [23, 5, 1, 12];
    const { logits } = await forward(model, {
      variant: plain(model),
      ids: lengths.map((n) => ids.slice(0, n)),
      capture: none,
    });
    lengths.forEach((n, b) => {
      const own = logits && { ...logits, data: logits.data.slice(b * 1009, (b + 1) * 1009) };
      expect(bits(own), `prompt of ${n}`).toBe(row(n - 1));
    });
  });

  it('of a generation with and without a cache', async () => {
    const run = async (withoutCache: boolean): Promise<string[]> => {
      const request = {
        variant: plain(model),
        ids: ids.slice(0, 7),
        maxNewTokens: 6,
        sampling: {},
        eos: new Set<number>(),
        withoutCache,
      };
      const rows: string[] = [];
      for await (const { logits } of generate(model, request))
        rows.push(Buffer.from(logits.slice().buffer).toString('base64'));
      return rows;
    };
    const [cached, uncached] = [await run(false), await run(true)];
    expect(cached).toHaveLength(6);
    expect(cached).toEqual(uncached);
  });

  it('whatever number of threads computes', async () => {
    const single = await openModel(folder, { device: 'cpu', engine: 'onnxruntime', threads: 1 });
    const { logits } = await forward(single, { variant: plain(single), ids: [ids], capture: none, logits: 'all' });
    expect(bits(logits)).toBe(bits(whole));
    await single.dispose();
  });

  it('with linears packed apart from the rest', async () => {
    const apart = await openModel(folder, { device: 'cpu', engine: 'onnxruntime', binding: 'apart' });
    const { logits } = await forward(apart, { variant: plain(apart), ids: [ids], capture: none, logits: 'all' });
    expect(bits(logits)).toBe(bits(whole));
    await apart.dispose();
  });

  it('under edits that change nothing, and once edits are undone', async () => {
    const idle = await edited(
      model,
      'scale blocks.0.attn.z[head=1] by 1\nadd 0 * direction(3 - 4) at blocks.1.resid_pre',
    );
    expect(bits((await forward(model, { variant: idle, ids: [ids], capture: none, logits: 'all' })).logits)).toBe(
      bits(whole),
    );
    const strong = await edited(model, 'set blocks.0.mlp.post[neuron=3..70] = 2\nskip layer 1');
    expect(bits((await forward(model, { variant: strong, ids: [ids], capture: none, logits: 'all' })).logits)).not.toBe(
      bits(whole),
    );
    expect(
      bits((await forward(model, { variant: plain(model), ids: [ids], capture: none, logits: 'all' })).logits),
    ).toBe(bits(whole));
  });

  it('of the last row alone, which is all that the last layer then computes', async () => {
    const variant = plain(model);
    const request = { variant, ids: [ids], capture: none, sparing: true } as const;
    const last = ids.length - 1;
    expect(new Pass(model.program, model.compilations, request).rowsHanded.positions).toEqual([last, last]);
    const spared = await forward(model, request);
    expect(bits(spared.logits)).toBe(row(last));
    const others = [ids, ids.toReversed()];
    const both = await forward(model, { variant, ids: others, capture: none, sparing: true });
    expect(bits(range(both.logits as Tensor, 0, [0, 1]))).toBe(row(last));
  });

  it('of a pass that ends where nothing more is asked for', async () => {
    const variant = plain(model);
    const ran: string[] = [];
    const request = { variant, ids: [ids], logits: 'none', onSegment: (name: string) => void ran.push(name) } as const;
    const early = await forward(model, { ...request, capture: new Set(['embed']) });
    expect(ran).toEqual(['embed']);
    const late = await forward(model, { ...request, logits: 'all', capture: new Set(['embed']) });
    expect(bits(early.sites.get('embed'))).toBe(bits(late.sites.get('embed')));
  });

  it('of a block cut in two at any of its sites', async () => {
    const segment = model.program.segments[1];
    if (!segment) throw new Error('no block');
    const graph = model.compilations.graph(segment, { edits: [], weights: none, taps: [] });
    const backend = await makeOnnxruntime({ device: 'cpu', binding: 'packed' });
    const feeds = feedsFor(graph);
    const run = async (g: Graph, given: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> => {
      const executable = await backend.compile(g, model.weights);
      const results = await executable.run(
        given,
        g.outputs.map((o) => o.name),
      );
      await executable.dispose();
      return results;
    };
    const expected = await run(graph, feeds);
    for (const site of segment.graph.sites.filter((s) => !s.onRequest)) {
      const { before, after } = cut(graph, [site.value]);
      const early = await run(before, feeds);
      const late = await run(after, new Map([...feeds, ...early]));
      for (const { name } of graph.outputs)
        expect(bits(late.get(name) ?? early.get(name)), `${name}, cut at ${site.name}`).toBe(bits(expected.get(name)));
    }
  }, 60_000);
});

/** Values for a block's inputs at 11 positions after 5 earlier ones. */
const feedsFor = (graph: Graph): ReadonlyMap<string, Tensor> => {
  const types = typesOf(graph);
  const extents: Readonly<Record<string, number>> = { batch: 1, position: 11, past: 5, key: 16 };
  return new Map(
    graph.inputs.map(({ id, name }) => {
      const shape = (types.get(id)?.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : (extents[dim] ?? 1)));
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 0.7));
      return [name, { dtype: 'float32', shape, data }] as const;
    }),
  );
};
