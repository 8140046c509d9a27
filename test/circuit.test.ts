import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CircuitRuns, connected, wiringOf, type Wiring } from '../src/analyses/circuit-search/index.js';
import { metricOf } from '../src/analyses/sweep/index.js';
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
import { float32 } from '../src/tensor/index.js';

const golden = path.join(import.meta.dirname, 'golden/models');
const context: OperationContext = { signal: new AbortController().signal, note: () => undefined };
const clean = [5, 42, 9, 9, 31, 0, 58];
const corrupt = [5, 17, 9, 33, 31, 2, 58];
const metric = 'logit(11) - logit(23)';

describe.each(['gpt2-default', 'llama-grouped'])('edges of %s', (name) => {
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

  const senders = ['embed', 'head 0.1', 'mlp 0', 'head 1.2'] as const;
  const siteOf = (sender: string): { sites: string; layer?: number; column: number } => {
    const [, kind, layer, head] = /^(\w+)(?: (\d+)(?:\.(\d+))?)?$/.exec(sender) ?? [];
    if (kind === 'embed') return { sites: 'blocks.0.resid_pre', column: 0 };
    return { sites: kind === 'head' ? 'z' : 'mlp_out', layer: Number(layer), column: Number(head ?? 0) };
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

  it.each([
    ['head 0.1', 'q 2.3', 'blocks.2.attn.q[head=3]'],
    ['head 0.1', 'v 1.1', 'blocks.1.attn.v'],
    ['mlp 0', 'k 1.0', 'blocks.1.attn.k'],
    ['head 1.2', 'mlp 1', 'blocks.1.ln2.normalized'],
    ['embed', 'mlp 0', 'blocks.0.ln2.normalized'],
  ])('without %s -> %s is path patching to %s', async (sender, reader, site) => {
    const index = /\.(\d+)$/.exec(reader)?.[1] ?? '0';
    const axis = name === 'llama-grouped' ? 'kvHead' : 'head';
    const receiver = /attn\.[kv]$/.test(site) ? `${site}[${axis}=${index}]` : site;
    const without = wiring.edges.filter((e) => e.name !== `${sender} -> ${reader}`);
    expect(without.length).toBe(wiring.edges.length - 1);
    const value = await runs.metric(without);
    expect(value).toBeCloseTo(await pathPatched(sender, receiver), 4);
    expect(value).not.toBeCloseTo(await runs.metric(wiring.edges), 6);
  });

  it('straight to the scores goes what a head writes, and nothing else', async () => {
    const names = new Set(['blocks.1.attn.result', 'blocks.2.resid_post']);
    const run = async (ids: number[]) =>
      (await forward(model, { variant: swept.variant, ids: [ids], capture: names })).sites;
    const [own, other] = [await run(clean), await run(corrupt)];
    const [heads, width] = [4, model.program.facts.modelDim];
    const result = (sites: typeof own) =>
      toFloat32(sites.get('blocks.1.attn.result') ?? float32([0], new Float32Array()));
    const stream = toFloat32(own.get('blocks.2.resid_post') ?? float32([0], new Float32Array()));
    const row = Float32Array.from({ length: width }, (_, i) => {
      const at = ((clean.length - 1) * heads + 2) * width + i;
      return (stream[(clean.length - 1) * width + i] ?? 0) + (result(other)[at] ?? 0) - (result(own)[at] ?? 0);
    });
    const logits = await scoreRows(model, swept.variant, float32([1, 1, width], row));
    const expected = (logits.data[11] ?? 0) - (logits.data[23] ?? 0);
    expect(await pathPatched('head 1.2', 'logits')).toBeCloseTo(expected, 4);
  });

  it('that lead nowhere are left out', () => {
    const named = (...wanted: string[]) => wiring.edges.filter((e) => wanted.includes(e.name));
    expect(connected(named('embed -> q 1.0'), wiring)).toEqual([]);
    expect(connected(named('head 0.1 -> logits'), wiring)).toEqual([]);
    const way = named('embed -> v 0.0', 'head 0.0 -> logits');
    expect(connected(way, wiring)).toEqual(way);
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
      { model: path.join(golden, 'gemma2-default'), ids: clean, corruptIds: corrupt, metric: 'logit(1)' },
      'a norm stands',
    ],
  ])('refuses %j', async (request, message) => {
    await expect(searched(request)).rejects.toThrow(message);
  });
});
