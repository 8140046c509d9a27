import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/base/index.js';
import {
  forward,
  prepareExperiment,
  placedSites,
  runOrder,
  Sweep,
  type Change,
  type ExperimentContext,
  type Prompt,
  type SweepRequest,
  type SweepVariant,
  type SweptRun,
  type Variant,
} from '../src/engine/index.js';
import { handedOn, prune, rowParts, type Node } from '../src/graph/index.js';
import { parseEdits } from '../src/language/index.js';
import { makeProgram } from '../src/models/index.js';
import { openModel, type OpenModel } from '../src/service/index.js';
import { writeRandomModel } from './support/random-model.js';

interface Case {
  readonly config: JsonObject;
  /** Sites to patch, with their axes beside the position's. */
  readonly sites: readonly string[];
  readonly source?: boolean;
  /** Do causal rows keep their bits? */
  readonly exact: boolean;
}

/** Widths of 768 and more: with smaller ones packed and unpacked products happen to agree in the last bits. */
const cases: Readonly<Record<string, Case>> = {
  gpt2: {
    config: { model_type: 'gpt2', vocab_size: 1009, n_positions: 64, n_embd: 768, n_layer: 3, n_head: 12 },
    sites: [
      'embed',
      'blocks.0.resid_pre',
      'blocks.1.resid_mid',
      'blocks.1.attn_out',
      'blocks.1.mlp_out',
      'blocks.2.resid_post',
      'blocks.1.attn.z[head=3]',
      'blocks.1.attn.q[head=3]',
      'blocks.1.attn.k[head=3]',
      'blocks.1.attn.v[head=3]',
      'blocks.1.attn.pattern[head=3]',
      'blocks.2.attn.scores[head=(1 2)]',
      'blocks.0.mlp.pre',
      'blocks.2.mlp.post[neuron=5..90]',
      'blocks.1.ln2.normalized',
      'blocks.1.attn.result[head=2]',
    ],
    exact: true,
  },
  'llama, grouped': {
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
    sites: [
      'embed',
      'blocks.0.attn.q[head=3]',
      'blocks.0.attn.rot_k[kvHead=1]',
      'blocks.0.attn.v[kvHead=0]',
      'blocks.1.attn.pattern[head=9]',
      'blocks.0.attn_out',
      'blocks.1.mlp.post',
      'blocks.0.resid_post',
    ],
    exact: true,
  },
  'gpt_neox, parallel': {
    config: {
      ...{ model_type: 'gpt_neox', vocab_size: 509, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4 },
      ...{ intermediate_size: 128, max_position_embeddings: 64, rotary_pct: 0.25, use_parallel_residual: true },
      ...{ hidden_act: 'gelu', layer_norm_eps: 1e-5 },
    },
    sites: ['blocks.0.attn_out', 'blocks.0.mlp_out', 'blocks.1.resid_pre', 'blocks.1.attn.k[head=1]'],
    exact: true,
  },
  bert: {
    config: {
      ...{ model_type: 'bert', architectures: ['BertForMaskedLM'], vocab_size: 509, hidden_size: 64 },
      ...{ num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 128, max_position_embeddings: 64 },
      ...{ hidden_act: 'gelu', layer_norm_eps: 1e-12, type_vocab_size: 2 },
    },
    sites: [
      'embed',
      'blocks.0.resid_mid',
      'blocks.1.attn.z[head=1]',
      'blocks.0.mlp_out',
      'blocks.1.attn.pattern[head=0]',
    ],
    exact: false,
  },
  t5: {
    config: {
      ...{ model_type: 't5', architectures: ['T5ForConditionalGeneration'], vocab_size: 509, d_model: 64, d_kv: 16 },
      ...{ d_ff: 128, num_layers: 2, num_decoder_layers: 2, num_heads: 4, relative_attention_num_buckets: 32 },
      ...{ feed_forward_proj: 'relu', is_encoder_decoder: true, decoder_start_token_id: 0, pad_token_id: 0 },
      ...{ eos_token_id: 1, layer_norm_epsilon: 1e-6, tie_word_embeddings: true },
    },
    sites: [
      'encoder.embed',
      'encoder.blocks.0.attn_out',
      'encoder.blocks.1.resid_post',
      'decoder.blocks.0.attn.z[head=1]',
      'decoder.blocks.1.cross_attn.z[head=1]',
      'decoder.blocks.0.cross_attn.k[head=2]',
      'decoder.blocks.0.mlp_out',
      'decoder.blocks.1.resid_pre',
    ],
    source: true,
    exact: false,
  },
};

const bare = { name: '', inputs: [], params: [], nodes: [], sites: [], outputs: [] };
const vocab = (config: JsonObject): number => Number(config['vocab_size']);
const idsOf = (n: number, seed: number, words: number): number[] =>
  Array.from({ length: n }, (_, i) => (i * 389 + seed * 97 + 7) % words);
const promptOf = (ids: readonly number[], source?: readonly number[]): Prompt => {
  const named = (list: readonly number[]) => ({ ids: list, tokens: list.map((id) => ({ text: `[${id}]` })) });
  return { ...named(ids), ...(source ? { source: named(source) } : {}) };
};

const contextOf = (model: OpenModel, prompt: Prompt, other: Prompt): ExperimentContext => ({
  ...{ program: model.program, weights: model.weights, compilations: model.compilations, prompt },
  unedited: () => model.unedited(),
  sequence: {
    ...{ tokens: prompt.tokens, length: prompt.ids.length },
    ...(prompt.source ? { source: prompt.source.tokens } : {}),
  },
  encode: () => Promise.resolve(other),
  tokenId: (token) => Promise.resolve(Number(token)),
  readVector: () => Promise.reject(new Error('no file')),
  readPrompts: () => Promise.reject(new Error('no file')),
  readRecorded: () => Promise.reject(new Error('no file')),
});

const plain = (model: OpenModel): Variant => ({
  order: runOrder(model.program, []),
  edits: new Map(),
  weights: new Map(),
});

/** `SITE[axis=VALUE]` and a row as a change and as the text of an edit. */
const atRow = (model: OpenModel, selector: string, row: number) => {
  const [, name = '', inside = ''] = /^([^[]+)(?:\[(.*)\])?$/.exec(selector) ?? [];
  const type = placedSites(runOrder(model.program, [])).find((p) => p.name === name)?.type;
  const axis = type?.axes.includes('query')
    ? 'query'
    : type?.axes.includes('source') && !type.axes.includes('position')
      ? 'source'
      : 'position';
  const where = [`${axis}=${row}`, ...(inside === '' ? [] : [inside])].join(', ');
  const [, along, from, to] = /^(\w+)=\(?(\d+)(?:\.\.| )?(\d+)?\)?$/.exec(inside) ?? [];
  const first = Number(from);
  const chosen = to === undefined ? [first] : Array.from({ length: Number(to) - first + 1 }, (_, i) => first + i);
  const indices = (type?.axes ?? []).map((a) => (a === axis ? [row] : a === along ? chosen : undefined));
  return { name, where, indices };
};

describe.each(Object.entries(cases).filter(([, each]) => each.exact))('a block of %s', (_, each) => {
  it('has its weights where each row is by itself, and none where rows look at each other', () => {
    const program = makeProgram(each.config, () => true);
    const block = program.segments.find((s) => s.kind === 'block');
    const handed = block ? handedOn(block) : [];
    const parts = block && rowParts(block.graph, handed);
    const graph = block && { ...block.graph, outputs: block.graph.outputs.filter((o) => handed.includes(o.name)) };
    const paramsOf = (nodes: readonly Node[] = []) =>
      block?.graph.params.filter((p) => nodes.some((n) => n.inputs.includes(p.id))).map((p) => p.name) ?? [];
    expect(parts?.between.some((n) => n.op === 'Softmax')).toBe(true);
    expect(paramsOf(parts?.between)).toEqual([]);
    const named = [...paramsOf(parts?.before), ...paramsOf(parts?.after)].sort();
    const all = prune({ ...(graph ?? bare), name: 'handed' }).params.map((p) => p.name);
    expect(named).toEqual([...all].sort());
  });
});

const allCases = Object.entries(cases).flatMap(([name, each]) =>
  (['never', 'always'] as const)
    .filter((sideBySide) => sideBySide === 'never' || each.exact || each.source)
    .map((sideBySide) => ({ name, each, sideBySide })),
);

describe.each(allCases)(
  'a sweep of $name, rows side by side $sideBySide, gives what each edit gives by itself',
  ({ each, sideBySide }) => {
    let folder = '';
    let model: OpenModel;
    let prompt: Prompt;
    let other: Prompt;
    const n = 7;
    beforeAll(async () => {
      folder = writeRandomModel(mkdtempSync(path.join(tmpdir(), 'cutaway-sweep-')), each.config);
      model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime' });
      const words = vocab(each.config);
      const source = (seed: number) => (each.source ? idsOf(n, seed + 4, words) : undefined);
      prompt = promptOf(idsOf(n, 1, words), source(1));
      other = promptOf(idsOf(n, 2, words), source(2));
    });
    afterAll(async () => {
      await model.dispose();
      rmSync(folder, { recursive: true, force: true });
    });

    const alone = async (texts: readonly string[], of = prompt): Promise<Float32Array> => {
      const { variant } = await prepareExperiment(contextOf(model, of, other), parseEdits(texts.join('\n')));
      const { logits } = await forward(model, {
        ...{ variant, ids: [of.ids], capture: new Set<string>(), logits: 'all' },
        ...(of.source ? { source: [of.source.ids] } : {}),
      });
      return logits?.data ?? new Float32Array();
    };

    const compare = async (
      list: readonly { readonly texts: readonly string[]; readonly variant: SweepVariant }[],
      sweep: Sweep,
      of = prompt,
      positions: readonly number[] = of.ids.map((_, i) => i),
    ) => {
      const results = new Map<number, Float32Array>();
      await sweep.run(
        list.map((l) => l.variant),
        (v, run) => void results.set(v, Float32Array.from(positions.flatMap((p) => [...(run.logits(p) ?? [])]))),
      );
      const words = vocab(each.config);
      const base = await alone([], of);
      for (const [v, { texts }] of list.entries()) {
        const all = await alone(texts, of);
        const theirs = Float32Array.from(positions.flatMap((p) => [...all.subarray(p * words, (p + 1) * words)]));
        const mine = results.get(v) ?? new Float32Array();
        expect(
          all.some((x, i) => x !== base[i]),
          `${texts.join(' and ')} changes something`,
        ).toBe(true);
        const worst = theirs.reduce((most, x, i) => Math.max(most, Math.abs(x - (mine[i] ?? NaN))), 0);
        if (each.exact) expect(worst, texts.join(' and ')).toBe(0);
        else expect(worst, texts.join(' and ')).toBeLessThanOrEqual(1e-5);
      }
    };

    const opened = async (changes: readonly string[], read: Partial<SweepRequest> = {}): Promise<Sweep> =>
      Sweep.open(
        { program: model.program, compilations: model.compilations, variant: plain(model), sideBySide },
        { prompt, changes, positions: prompt.ids.map((_, i) => i), ...read },
      );

    const patched = (all: readonly ReturnType<typeof atRow>[], clean: SweptRun) =>
      all.map(({ name, where, indices }) => ({
        texts: [`set ${name}[${where}] = from prompt "other"`],
        variant: { changes: [{ site: name, indices, to: { kind: 'value', tensor: clean.site(name) } as const }] },
      }));

    it('at each site and at the first, a middle and the last row', async () => {
      const rows = [1, 3, n - 1];
      const all = each.sites.flatMap((site) => rows.map((row) => atRow(model, site, row)));
      const sweep = await opened(all.map((a) => a.name));
      const clean = await sweep.other(other);
      await compare(patched(all, clean), sweep);
    });

    it.each([[[6]], [[2, 5]]])('scored at positions %j alone', async (positions) => {
      const all = each.sites.flatMap((site) => [1, 4, n - 1].map((row) => atRow(model, site, row)));
      const sweep = await opened(
        all.map((a) => a.name),
        { positions },
      );
      const clean = await sweep.other(other);
      await compare(patched(all, clean), sweep, prompt, positions);
    });

    it('scored at some tokens alone', async () => {
      const all = each.sites.flatMap((site) => [1, n - 1].map((row) => atRow(model, site, row)));
      const positions = [4, n - 1];
      const tokens = [7, 3];
      const sweep = await opened(
        all.map((a) => a.name),
        { positions, tokens },
      );
      const clean = await sweep.other(other);
      const list = patched(all, clean);
      const words = vocab(each.config);
      await sweep.run(
        list.map((l) => l.variant),
        async (v, run) => {
          expect(run.logits(n - 1)).toBeUndefined();
          const whole = await alone(list[v]?.texts ?? []);
          for (const p of positions)
            for (const id of tokens)
              expect(Math.abs((run.logit?.(p, id) ?? NaN) - (whole[p * words + id] ?? NaN))).toBeLessThan(1e-5);
        },
      );
    });

    it('of a change that changes nothing, which gives what the base run gave', async () => {
      const all = each.sites.flatMap((site) => [1, n - 1].map((row) => atRow(model, site, row)));
      const sweep = await opened(all.map((a) => a.name));
      const list = patched(all, await sweep.other(prompt));
      const base = sweep.baseRun.logits(n - 1);
      await sweep.run(
        list.map((l) => l.variant),
        (_v, run) => {
          expect(run.logits(n - 1)).toEqual(base);
        },
      );
    });

    it('of a prompt of one token', async () => {
      const of = promptOf(idsOf(1, 1, vocab(each.config)), prompt.source?.ids);
      const all = each.sites
        .filter((s) => !/attn\.(q|k|rot_k|pattern|scores)/.test(s))
        .map((site) => atRow(model, site, 0));
      const sweep = await Sweep.open(
        { program: model.program, compilations: model.compilations, variant: plain(model), sideBySide },
        { prompt: of, changes: all.map((a) => a.name), positions: [0] },
      );
      await compare(
        all.map(({ name, where, indices }) => ({
          texts: [`scale ${name}[${where}] by 1.5`],
          variant: { changes: [{ site: name, indices, to: { kind: 'scale', by: 1.5 } }] },
        })),
        sweep,
        of,
      );
    });

    it('with several changes in one run, and numbers that are set, scaled and added', async () => {
      const [one, two] = [each.sites[1] ?? '', each.sites.at(-1) ?? ''].map((s) => atRow(model, s, 2));
      const three = atRow(model, each.sites[3] ?? '', 4);
      if (!one || !two) throw new Error('no sites');
      const sweep = await opened([one.name, two.name, three.name]);
      const zero: Change = { site: one.name, indices: one.indices, to: { kind: 'number', value: 0 } };
      const scaled: Change = { site: two.name, indices: two.indices, to: { kind: 'scale', by: 1.7 } };
      const set: Change = { site: three.name, indices: three.indices, to: { kind: 'number', value: 0.25 } };
      const texts = [
        `set ${one.name}[${one.where}] = zero`,
        `scale ${two.name}[${two.where}] by 1.7`,
        `set ${three.name}[${three.where}] = 0.25`,
      ];
      await compare(
        [
          { texts: [texts[0] ?? ''], variant: { changes: [zero] } },
          { texts: [texts[1] ?? ''], variant: { changes: [scaled] } },
          { texts, variant: { changes: [zero, scaled, set] } },
          { texts: texts.slice(1), variant: { changes: [scaled, set] } },
        ],
        sweep,
      );
    });
  },
);
