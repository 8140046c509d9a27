import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CircuitRuns, connected, edgeScores, wiringOf, type Wiring } from '../src/analyses/circuit-search/index.js';
import { correlation, metricOf } from '../src/analyses/sweep/index.js';
import { forward, runOrder, scoreRows, type Prompt, type SweepModel } from '../src/engine/index.js';
import {
  circuit,
  circuitInput,
  openModel,
  parseExpression,
  patch,
  patchInput,
  promptOfIds,
  toFloat32,
  type OpenModel,
  type OperationContext,
} from '../src/index.js';
import { float32, take } from '../src/tensor/index.js';

const golden = path.join(import.meta.dirname, 'golden/models');
const context: OperationContext = { signal: new AbortController().signal, note: () => undefined };
const clean = [5, 42, 9, 9, 31, 0, 58];
const corrupt = [5, 17, 9, 33, 31, 2, 58];
const metric = 'logit(11) - logit(23)';

/** A model, senders of which what goes straight to the scores is tried, and edges with the sites they end in. */
interface Kind {
  readonly name: string;
  readonly senders: readonly string[];
  readonly edges: readonly (readonly [sender: string, reader: string, site: string])[];
  /** Ways that are none in it. */
  readonly none: readonly string[];
}

const beside = (kvAxis: string, mlp: string): Pick<Kind, 'senders' | 'edges'> => ({
  senders: ['embed', 'head 0.1', 'mlp 0', 'head 1.1'],
  edges: [
    ['head 0.1', 'q 1.1', 'blocks.1.attn.q[head=1]'],
    ['mlp 0', 'k 1.0', `blocks.1.attn.k[${kvAxis}=0]`],
    ['head 0.1', 'mlp 1', mlp],
    ['embed', 'v 0.0', `blocks.0.attn.v[${kvAxis}=0]`],
  ],
});
const whole = (mlpOf: (layer: number) => string): Pick<Kind, 'senders' | 'edges' | 'none'> => ({
  senders: ['embed', 'attention 0', 'mlp 0', 'attention 1'],
  edges: [
    ['attention 0', 'q 1', 'blocks.1.attn.q'],
    ['mlp 0', 'k 1', 'blocks.1.attn.k'],
    ['attention 0', 'v 1', 'blocks.1.attn.v'],
    ['attention 1', 'mlp 1', mlpOf(1)],
    ['embed', 'mlp 0', mlpOf(0)],
  ],
  none: ['mlp 1 -> mlp 1', 'attention 1 -> q 1', 'head 0.1 -> logits'],
});
const sums = (kvAxis: string): Pick<Kind, 'senders' | 'edges' | 'none'> => ({
  senders: ['embed', 'head 0.1', 'mlp 0', 'head 1.2'],
  edges: [
    ['head 0.1', 'q 2.3', 'blocks.2.attn.q[head=3]'],
    ['head 0.1', 'v 1.1', `blocks.1.attn.v[${kvAxis}=1]`],
    ['mlp 0', 'k 1.0', `blocks.1.attn.k[${kvAxis}=0]`],
    ['head 1.2', 'mlp 1', 'blocks.1.ln2.normalized'],
    ['embed', 'mlp 0', 'blocks.0.ln2.normalized'],
  ],
  none: ['mlp 1 -> mlp 1', 'head 1.2 -> q 1.0', 'attention 0 -> logits'],
});
const noneBeside = ['head 1.1 -> mlp 1', 'mlp 1 -> mlp 1', 'head 1.1 -> q 1.0'];
const normed = (layer: number): string => `blocks.${layer}.ln2.normalized`;
const gated = (layer: number): string => `blocks.${layer}.mlp.pre, blocks.${layer}.mlp.pre_linear`;

const models: readonly Kind[] = [
  { name: 'gpt2-default', ...sums('head') },
  { name: 'llama-grouped', ...sums('kvHead') },
  { name: 'gpt-neox-default', ...beside('head', 'blocks.1.ln2.normalized'), none: noneBeside },
  { name: 'phi-multi-query', ...beside('kvHead', 'blocks.1.mlp.pre'), none: noneBeside },
  { name: 'gemma2-default', ...whole(normed) },
  { name: 'gemma3-text-default', ...whole(normed) },
  { name: 'olmo2-default', ...whole(gated) },
];

describe.each(models)('edges of $name', ({ name, senders, edges, none }) => {
  let model: OpenModel;
  let swept: SweepModel;
  let wiring: Wiring;
  let runs: CircuitRuns;
  const folder = path.join(golden, name);
  beforeAll(async () => {
    model = await openModel(folder, { device: 'cpu', engine: 'onnxruntime' });
    const order = runOrder(model.program, []);
    swept = {
      ...{ program: model.program, compilations: model.compilations },
      variant: { order, edits: new Map(), weights: new Map() },
    };
    wiring = wiringOf(swept);
    const [prompt, other] = [promptOfIds(model, clean), promptOfIds(model, corrupt)];
    const request = { program: model.program, order, prompt, encode: () => Promise.resolve([]) };
    const read = await metricOf(parseExpression(metric), request);
    runs = await CircuitRuns.open(swept, wiring, { prompt, corrupt: other, metric: read });
  });
  afterAll(() => model.dispose());

  const metricIn = async (prompt: Prompt): Promise<number> => {
    const { logits } = await forward(model, { variant: swept.variant, ids: [prompt.ids], capture: new Set<string>() });
    return (logits?.data[11] ?? NaN) - (logits?.data[23] ?? NaN);
  };

  it('all of them are the clean run, none the corrupted one', async () => {
    expect(await runs.metric(wiring.edges)).toBeCloseTo(await metricIn(promptOfIds(model, clean)), 4);
    expect(await runs.metric([])).toBeCloseTo(await metricIn(promptOfIds(model, corrupt)), 4);
  });

  const siteOf = (sender: string): { sites: string; layer?: number; column: number } => {
    const [, kind, layer, head] = /^(\w+)(?: (\d+)(?:\.(\d+))?)?$/.exec(sender) ?? [];
    if (kind === 'embed') return { sites: 'blocks.0.resid_pre', column: 0 };
    return {
      sites: { head: 'z', attention: 'attn_out' }[kind ?? ''] ?? 'mlp_out',
      layer: Number(layer),
      column: Number(head ?? 0),
    };
  };

  const pathPatched = async (sender: string, receivers: string): Promise<number> => {
    const { sites, layer, column } = siteOf(sender);
    const r = await patch.run(
      patchInput.parse({
        ...{
          model: folder,
          ids: clean,
          corruptIds: corrupt,
          metric,
          method: 'path',
          direction: 'noise',
          sites,
          receivers,
        },
        ...(layer === undefined ? {} : { layers: [layer] }),
        by: [sites === 'z' ? 'head' : 'none'],
      }),
      context,
    );
    return r.grids[0]?.raw[0]?.[column] ?? NaN;
  };

  it.each(senders)('without %s -> logits is path patching from there to the scores', async (sender) => {
    const without = wiring.edges.filter((e) => e.name !== `${sender} -> logits`);
    expect(without.length).toBe(wiring.edges.length - 1);
    expect(await runs.metric(without)).toBeCloseTo(await pathPatched(sender, 'logits'), 4);
  });

  it.each(edges)('without %s -> %s is path patching to %s', async (sender, reader, receiver) => {
    const without = wiring.edges.filter((e) => e.name !== `${sender} -> ${reader}`);
    expect(without.length).toBe(wiring.edges.length - 1);
    const value = await runs.metric(without);
    expect(value).toBeCloseTo(await pathPatched(sender, receiver), 4);
    expect(value).not.toBeCloseTo(await runs.metric(wiring.edges), 6);
  });

  it('straight to the scores goes what a part writes, and nothing else', async () => {
    const [, head] = /^head 1\.(\d+)$/.exec(senders[3] ?? '') ?? [];
    const written = head === undefined ? 'blocks.1.attn_out' : 'blocks.1.attn.result';
    const last = `${wiring.blocks.at(-1)?.name ?? ''}.resid_post`;
    const run = async (ids: number[]) =>
      (await forward(model, { variant: swept.variant, ids: [ids], capture: new Set([written, last]) })).sites;
    const [own, other] = [await run(clean), await run(corrupt)];
    const width = model.program.facts.modelDim;
    const at = clean.length - 1;
    const row = (sites: typeof own, name: string): Float32Array => {
      const value = sites.get(name) ?? float32([0], new Float32Array());
      const ofHead = name === last || head === undefined ? value : take(value, 2, [Number(head)]);
      return toFloat32(take(ofHead, 1, [at]));
    };
    const stream = row(own, last).map((x, i) => x + (row(other, written)[i] ?? 0) - (row(own, written)[i] ?? 0));
    const logits = await scoreRows(model, swept.variant, float32([1, 1, width], stream));
    const expected = (logits.data[11] ?? 0) - (logits.data[23] ?? 0);
    expect(await pathPatched(senders[3] ?? '', 'logits')).toBeCloseTo(expected, 4);
  });

  it('that lead nowhere are left out', () => {
    const named = (...wanted: string[]) => wiring.edges.filter((e) => wanted.includes(e.name));
    const [first, v] = senders.includes('attention 0') ? ['attention 0', 'v 0'] : ['head 0.0', 'v 0.0'];
    expect(connected(named(`embed -> ${v}`), wiring)).toEqual([]);
    expect(connected(named(`${first} -> logits`), wiring)).toEqual([]);
    const way = named(`embed -> ${v}`, `${first} -> logits`);
    expect(way.length).toBe(2);
    expect(connected(way, wiring)).toEqual(way);
  });

  it('go from no part to one beside it or before it', () => {
    expect(wiring.edges.map((e) => e.name).filter((edge) => none.includes(edge))).toEqual([]);
  });

  it('are guessed as what leaving out each alone does, the nearer the two runs are', async () => {
    const near = await CircuitRuns.open(swept, wiring, runs.pair);
    // some of these values are the same array
    const values = new Map(
      (['out', 'stream'] as const).flatMap((part) =>
        [...near.corrupt[part]].map(([key, value]) => [value, near.clean[part].get(key)] as const),
      ),
    );
    for (const [value, own] of values)
      value.forEach((x, i) => (value[i] = (own?.[i] ?? NaN) + 0.02 * (x - (own?.[i] ?? NaN))));
    const guesses = await edgeScores(
      near,
      () => Promise.resolve([]),
      () => undefined,
    );
    const all = await near.metric(wiring.edges);
    const measured: number[] = [];
    for (const edge of wiring.edges) measured.push((await near.metric(wiring.edges.filter((e) => e !== edge))) - all);
    const guessed = wiring.edges.map((e) => guesses.get(e.name) ?? NaN);
    expect(correlation(guessed, measured)).toBeGreaterThan(0.98);
  });
});

describe('circuit', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'cutaway-circuit-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const searched = (request: object) => circuit.run(circuitInput.parse(request), context);
  const induction = { prompt: ' lamp Oakham Ruth red lamp Oakham', corrupt: ' lamp Oakham Tom red lamp Oakham' };
  const words = { answer: ' Ruth', wrong: ' Tom' };

  it('of induction in world has its known heads, and is faithful', async () => {
    const r = await searched({ ...induction, ...words, tests: 60 });
    expect(r.faithfulness).toBeGreaterThanOrEqual(0.9);
    expect(r.edges.length).toBeLessThan(r.totalEdges / 10);
    expect(r.nodes).toEqual(expect.arrayContaining(['head 2.0', 'head 2.2']));
    expect(Math.abs(r.complement ?? 1)).toBeLessThan(0.5);
    expect(r.tried).toBe(Math.min(60, r.edges.length));
  });

  it.each(['.svg', '.dot', '.csv', '.json'])('is written as %s', async (ending) => {
    const out = path.join(folder, `circuit${ending}`);
    const r = await searched({ ...induction, ...words, size: 40, tests: 0, out });
    const text = readFileSync(out, 'utf8');
    if (ending === '.svg') expect(text.match(/<path/g)?.length).toBe(r.edges.length);
    if (ending === '.dot') expect(text.match(/->/g)?.length).toBe(r.edges.length);
    if (ending === '.csv') expect(text.trim().split('\n').length).toBe(1 + r.edges.length);
    if (ending === '.json') expect(JSON.parse(text)).toEqual(r);
    expect(r.edges.length).toBeLessThanOrEqual(40);
  });

  it('goes on from a file of what is known, to other aims too', async () => {
    const resume = path.join(folder, 'circuit.jsonl');
    const request = { ...induction, ...words, tests: 20, resume };
    const whole = await searched(request);
    const again = await searched(request);
    expect([again.runs, again.known]).toEqual([0, whole.runs + whole.known]);
    expect(again.edges).toEqual(whole.edges);
    const other = await searched({ ...request, faithfulness: 0.8 });
    expect(other.known).toBeGreaterThan(0);
    expect(other.runs).toBeGreaterThan(0);
    const elsewhere = searched({ ...request, corrupt: ' lamp Oakham Ruth Tom lamp Oakham' });
    await expect(elsewhere).rejects.toThrow('another request');
  });

  it.each([
    [{ prompt: 'The capital of Velmar is', ...words }, 'no corrupted one'],
    [{ prompt: 'The capital of Velmar is', corrupt: 'The capital of the Orvane is', ...words }, 'as many tokens'],
    [{ ...induction, metric: 'norm(blocks.3.mlp_out)' }, 'reads scores'],
    [{ ...induction, ...words, out: 'x.pdf' }, 'what to write'],
    [
      { model: path.join(golden, 'bert-masked'), ids: clean, corruptIds: corrupt, metric: 'logit(1) at position 2' },
      'not searched',
    ],
    [{ model: path.join(golden, 't5-default'), ids: clean, corruptIds: corrupt, metric: 'logit(1)' }, 'two stacks'],
    [
      { model: path.join(golden, 'opt-post-norm'), ids: clean, corruptIds: corrupt, metric: 'logit(1)' },
      'a norm stands in its stream',
    ],
  ])('refuses %j', async (request, message) => {
    await expect(searched(request)).rejects.toThrow(message);
  });
});
