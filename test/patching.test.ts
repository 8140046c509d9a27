import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forward, runOrder, scoreRows } from '../src/engine/index.js';
import { openModel, patch, patchInput, toFloat32, type OperationContext, type PatchResult } from '../src/index.js';
import { float32, take } from '../src/tensor/index.js';

const golden = path.join(import.meta.dirname, 'golden');
const context: OperationContext = { signal: new AbortController().signal, note: () => undefined };
const patched = (request: object, own: OperationContext = context): Promise<PatchResult> =>
  patch.run(patchInput.parse(request), own);

interface Reference {
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  readonly right: number;
  readonly wrong: number;
  readonly models: Readonly<
    Record<
      string,
      { clean: number; corrupted: number; grids: Readonly<Record<string, readonly (readonly unknown[])[]>> }
    >
  >;
}
const reference = JSON.parse(readFileSync(path.join(golden, 'patching/patching.json'), 'utf8')) as Reference;

describe.each(Object.entries(reference.models))(
  'TransformerLens patches %s alike',
  (name, { clean, corrupted, grids }) => {
    it.each(Object.keys(grids))('%s', async (kind) => {
      const byPosition = kind === 'z by position';
      const result = await patched({
        model: path.join(golden, 'models', name),
        ids: reference.clean,
        corruptIds: reference.corrupted,
        metric: `logit(${reference.right}) - logit(${reference.wrong})`,
        sites: byPosition ? 'z' : kind,
        ...(byPosition ? { by: ['position', 'head'] } : {}),
      });
      expect(result.clean).toBeCloseTo(clean, 4);
      expect(result.corrupted).toBeCloseTo(corrupted, 4);
      const ours = result.grids[0]?.raw.map((row) => row.map(Number)) ?? [];
      const theirs = (grids[kind] ?? []).map((row) => row.flat(2).map(Number));
      expect(ours.map((row) => row.length)).toEqual(theirs.map((row) => row.length));
      const worst = Math.max(...theirs.flatMap((row, l) => row.map((x, i) => Math.abs(x - (ours[l]?.[i] ?? NaN)))));
      expect(worst).toBeLessThanOrEqual(1e-4);
      expect(theirs.flat().some((x) => Math.abs(x - corrupted) > 1e-3)).toBe(true);
    });
  },
);

describe("cross-attention's keys and values by the tokens that the encoder read", () => {
  const asked = {
    ...{ model: path.join(golden, 'models/t5-default'), ids: [5, 42, 9, 31, 58], targetIds: [7, 12] },
    ...{ metric: 'logit(11) - logit(23)', method: 'zero' },
  };
  const corruptIds = [5, 42, 17, 31, 58];

  it.each(['k', 'v'])('are set to zero one by one as by edits: %s', async (site) => {
    const { grids } = await patched({ ...asked, sites: `cross_attn.${site}`, by: ['position'] });
    const [grid] = grids;
    expect(grid).toMatchObject({ site: `decoder.cross_attn.${site}`, by: ['position'], ofSource: true });
    expect(grid?.layers).toEqual(['decoder.blocks.0', 'decoder.blocks.1']);
    expect(grid?.columns.map((c) => c.position)).toEqual([0, 1, 2, 3, 4]);
    for (const source of [1, 3]) {
      const text = `set decoder.blocks.1.cross_attn.${site}[source=${source}] = zero`;
      const { clean } = await patched({ ...asked, sites: 'decoder.blocks.0.resid_pre', edits: [{ text }] });
      expect(grid?.raw[1]?.[source]).toBeCloseTo(clean ?? NaN, 5);
    }
  });

  it('change where the prompts differ, layers and heads chosen, measured and guessed', async () => {
    const pair = { ...asked, corruptIds, sites: 'cross_attn.v', by: ['position', 'head'], layers: [1] };
    const [measured, guessed] = [
      await patched({ ...pair, method: 'patch' }),
      await patched({ ...pair, method: 'attribution', checked: 8 }),
    ];
    expect(measured.grids[0]?.layers).toEqual(['decoder.blocks.1']);
    expect(measured.grids[0]?.columns.length).toBe(15);
    expect(measured.grids[0]?.raw[0]?.some((x) => Math.abs((x ?? NaN) - (measured.corrupted ?? NaN)) > 1e-4)).toBe(
      true,
    );
    expect(guessed.guess?.correlation ?? NaN).toBeGreaterThan(0.8);
  });

  it('are patched between prompts of other lengths', async () => {
    const longer = { ...asked, corruptIds: [5, 42, 17, 17, 31, 58], sites: 'cross_attn.k', by: ['position'] };
    const { grids } = await patched({ ...longer, method: 'patch' });
    expect(grids[0]?.columns.length).toBe(6);
  });
});

describe('paths of an encoder-decoder', () => {
  const model = path.join(golden, 'models/t5-default');
  const [ids, corruptIds, targetIds] = [
    [5, 42, 9, 31, 58],
    [5, 42, 17, 31, 58],
    [7, 12],
  ];
  /** With what a decoder starts with. */
  const decoded = [0, ...targetIds];
  const metric = 'logit(11) - logit(23)';
  const asked = { model, ids, corruptIds, targetIds, metric, method: 'path', direction: 'noise' };

  it.each([
    ['decoder.blocks.0.cross_attn_out', undefined, 'decoder.blocks.0.cross_attn_out'],
    ['decoder.blocks.1.mlp_out', undefined, 'decoder.blocks.1.mlp_out'],
    ['decoder.blocks.0.cross_attn.z', 2, 'decoder.blocks.0.cross_attn.result'],
    ['decoder.blocks.1.attn.z', 0, 'decoder.blocks.1.attn.result'],
  ])('straight to the scores goes what %s (head %s) writes', async (sites, head, written) => {
    const opened = await openModel(model, { device: 'cpu', engine: 'onnxruntime' });
    const variant = { order: runOrder(opened.program, []), edits: new Map(), weights: new Map() };
    const last = 'decoder.blocks.1.resid_post';
    const run = async (source: number[]) =>
      (await forward(opened, { variant, ids: [decoded], source: [source], capture: new Set([written, last]) })).sites;
    const [own, other] = [await run(ids), await run(corruptIds)];
    const row = (sites: typeof own, name: string): Float32Array => {
      const value = sites.get(name) ?? float32([0], new Float32Array());
      const ofHead = name === last || head === undefined ? value : take(value, 2, [head]);
      return toFloat32(take(ofHead, 1, [decoded.length - 1]));
    };
    const stream = row(own, last).map((x, i) => x + (row(other, written)[i] ?? NaN) - (row(own, written)[i] ?? NaN));
    const { data } = await scoreRows(opened, variant, float32([1, 1, stream.length], stream));
    await opened.dispose();
    const { grids } = await patched({ ...asked, sites, by: [head === undefined ? 'none' : 'head'] });
    expect(grids[0]?.raw[0]?.[head ?? 0]).toBeCloseTo((data[11] ?? NaN) - (data[23] ?? NaN), 4);
  });

  it('lead from the end of the encoder to all keys and values of the decoder, and nowhere else', async () => {
    const sender = { ...asked, sites: 'encoder.blocks.1.mlp_out', by: ['none'] };
    const along = await patched({
      ...sender,
      receivers: 'decoder.blocks.*.cross_attn.k,decoder.blocks.*.cross_attn.v',
    });
    const whole = await patched({ ...sender, method: 'patch' });
    expect(along.grids[0]?.raw[0]?.[0]).toBeCloseTo(whole.grids[0]?.raw[0]?.[0] ?? NaN, 5);
    expect(Math.abs((whole.grids[0]?.raw[0]?.[0] ?? NaN) - (whole.clean ?? NaN))).toBeGreaterThan(1e-3);
    const queries = await patched({ ...sender, receivers: 'decoder.blocks.0.cross_attn.q' });
    const scores = await patched(sender);
    expect([queries.grids[0]?.raw[0]?.[0], scores.grids[0]?.raw[0]?.[0]]).toEqual([null, null]);
  });

  it('lead in a layer from attention to cross-attention and the MLP, not back', async () => {
    const sender = { ...asked, sites: 'decoder.blocks.1.cross_attn_out', by: ['none'] };
    const to = async (receivers: string) => (await patched({ ...sender, receivers })).grids[0]?.raw[0]?.[0] ?? null;
    expect(await to('decoder.blocks.1.attn.q')).toBeNull();
    expect(await to('decoder.blocks.1.cross_attn.q')).toBeNull();
    expect(await to('decoder.blocks.1.ln2.normalized')).not.toBeNull();
    const attention = { ...sender, sites: 'decoder.blocks.1.attn_out' };
    const { grids } = await patched({ ...attention, receivers: 'decoder.blocks.1.cross_attn.q' });
    expect(grids[0]?.raw[0]?.[0]).not.toBeNull();
  });

  it('are followed between prompts of as many tokens on both sides', async () => {
    const longer = { ...asked, corruptIds: [5, 42, 17, 17, 31, 58], sites: 'decoder.blocks.0.mlp_out' };
    await expect(patched(longer)).rejects.toThrow('as many tokens');
  });
});

describe('patch', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'cutaway-patch-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const capital = { prompt: 'The capital of Velmar is', corrupt: 'The capital of Orvane is' };
  const words = { answer: ' Haven', wrong: ' Thorn' };
  const effectAt = (r: PatchResult, site: string, layer: number, column: number): number =>
    r.grids.find((g) => g.site === site)?.effect[layer]?.[column] ?? NaN;

  it('puts the whole difference back where the prompts differ, and nothing where they are alike', async () => {
    const r = await patched({ ...capital, ...words, sites: 'resid_pre' });
    expect(r.effect).toBe('share');
    expect(effectAt(r, 'resid_pre', 0, 4)).toBeCloseTo(1, 5);
    expect(effectAt(r, 'resid_pre', 6, 5)).toBeGreaterThan(0.9);
    for (const position of [0, 1, 2, 3]) expect(effectAt(r, 'resid_pre', 0, position)).toBe(0);
  });

  it('in the other direction corrupts the clean run', async () => {
    const r = await patched({ ...capital, ...words, sites: 'resid_pre', direction: 'noise' });
    expect(effectAt(r, 'resid_pre', 0, 4)).toBeCloseTo(0, 5);
    expect(effectAt(r, 'resid_pre', 0, 1)).toBeCloseTo(1, 5);
    expect([r.clean, r.corrupted].every((x) => x !== null)).toBe(true);
  });

  it('aligns prompts of different length by what they begin and end with alike, and refuses attention', async () => {
    const other = { prompt: 'The capital of Velmar is', corrupt: 'The capital of the Orvane is' };
    const r = await patched({ ...other, ...words, sites: 'resid_pre' });
    expect(r.notes?.some((n) => n.includes('differs in length'))).toBe(true);
    expect(r.grids[0]?.raw[0]?.filter((x) => x === null).length).toBeGreaterThan(0);
    await expect(patched({ ...other, ...words, sites: 'pattern' })).rejects.toMatchObject({
      info: { code: 'OPTION_INVALID' },
    });
  });

  it('takes braces as they are where there is no file of pairs', async () => {
    const r = await patched({
      prompt: 'The {box} is in the',
      corrupt: 'The {king} is in the',
      ...words,
      sites: 'resid_pre',
    });
    expect(r.tokens.map((t) => t.text).join('')).toContain('{box}');
  });

  it('means over pairs of a file, of templates too, with bounds around them', async () => {
    const file = path.join(folder, 'pairs.jsonl');
    const lines = [
      { country: 'Velmar', other: 'Orvane', answer: ' Haven', wrong: ' Thorn' },
      { country: 'Orvane', other: 'Velmar', answer: ' Thorn', wrong: ' Haven' },
    ];
    writeFileSync(file, lines.map((l) => JSON.stringify(l)).join('\n'));
    const r = await patched({
      ...{ prompt: 'The capital of {country} is', corrupt: 'The capital of {other} is', pairs: file },
      sites: 'resid_pre',
    });
    expect(r.pairs).toBe(2);
    const [grid] = r.grids;
    expect(grid?.effect[0]?.[4]).toBeCloseTo(1, 5);
    const [low, at, high] = [grid?.low, grid?.effect, grid?.high].map((n) => n?.[1]?.[4] ?? NaN);
    expect(low).toBeLessThanOrEqual(at ?? NaN);
    expect(high).toBeGreaterThanOrEqual(at ?? NaN);
    const metric = 'prob("{answer}")';
    const p = await patched({
      prompt: 'The capital of {country} is',
      corrupt: 'The capital of {other} is',
      pairs: file,
      metric,
      sites: 'mlp_out',
    });
    expect(p.clean).toBeGreaterThan(0.9);
  });

  it('noises an embedding and puts clean values back, with the same seed the same', async () => {
    const request = {
      prompt: capital.prompt,
      method: 'noise',
      subject: [4],
      sites: 'resid_pre',
      samples: 3,
      metric: 'prob(" Haven")',
    };
    const [one, same, other] = [await patched(request), await patched(request), await patched({ ...request, seed: 1 })];
    expect(one.grids).toEqual(same.grids);
    expect(one.corrupted).not.toBe(other.corrupted);
    expect(one.corrupted).toBeLessThan((one.clean ?? 0) / 2);
    expect(effectAt(one, 'resid_pre', 0, 4)).toBeCloseTo(1, 4);
    expect(effectAt(one, 'resid_pre', 0, 1)).toBeCloseTo(0, 6);
    const wide = await patched({ ...request, sites: 'mlp_out', window: 4 });
    expect(Math.max(...(wide.grids[0]?.effect.flat().map(Number) ?? []))).toBeGreaterThan(0);
  });

  it.each([
    ['gpt2-default', 'transformer.wte.weight', 1],
    ['gemma2-default', 'model.embed_tokens.weight', NaN], // times √width
  ])('noise of %s is three times what its embeddings deviate by in the stream', async (name, table, factor) => {
    const model = path.join(golden, 'models', name);
    const file = readFileSync(path.join(model, 'model.safetensors'));
    const headerBytes = Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Record<
      string,
      { data_offsets: [number, number]; shape: [number, number] }
    >;
    const { data_offsets: at, shape } = header[table] ?? { data_offsets: [0, 0], shape: [0, 0] };
    const own = file.subarray(8 + headerBytes + at[0], 8 + headerBytes + at[1]);
    const values = Array.from({ length: own.length / 4 }, (_, i) => own.readFloatLE(4 * i));
    const middle = values.reduce((sum, x) => sum + x, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / values.length);
    const scale = Number.isNaN(factor) ? Math.sqrt(shape[1]) : factor;
    const request = { model, ids: [5, 9, 20], method: 'noise', subject: [1], samples: 1, sites: 'attn_out' };
    const { sigma } = await patched({ ...request, metric: 'logit(3)' });
    expect(sigma).toBeCloseTo(3 * deviation * scale, 4);
  });

  it('finds the tokens that are noised by their text, for each line of a file its own', async () => {
    const request = { method: 'noise', sites: 'resid_pre', samples: 2, metric: 'prob(" Haven")' };
    const one = await patched({ ...request, prompt: capital.prompt, subject: [4] });
    expect((await patched({ ...request, prompt: capital.prompt, subject: ' Velmar' })).grids).toEqual(one.grids);
    const several = await patched({ ...request, prompt: capital.prompt, subject: 'of Vel' }); // parts of two tokens
    expect(several.grids).toEqual((await patched({ ...request, prompt: capital.prompt, subject: [3, 4] })).grids);
    const pairs = path.join(folder, 'subjects.jsonl');
    const line = (prompt: string, subject: string): string => JSON.stringify({ prompt, subject });
    writeFileSync(pairs, [line(capital.prompt, 'Velmar'), line(capital.corrupt, 'Orvane')].join('\n'));
    const both = await patched({ ...request, pairs });
    expect(both.pairs).toBe(2);
    expect(effectAt(both, 'resid_pre', 0, 4)).toBeCloseTo(1, 4);
    for (const [subject, why] of [
      ['Orvane', 'does not stand'],
      ['a', 'more than once'],
    ])
      await expect(patched({ ...request, prompt: capital.prompt, subject })).rejects.toThrow(why);
  });

  it('takes the lines of pairs as a text, too', async () => {
    const pairs = path.join(folder, 'as-text.jsonl');
    const pairsText = [capital, { prompt: capital.corrupt, corrupt: capital.prompt }]
      .map((p) => JSON.stringify(p))
      .join('\n');
    writeFileSync(pairs, pairsText);
    const asked = { ...words, sites: 'z', layers: [1] };
    expect((await patched({ ...asked, pairsText })).grids).toEqual((await patched({ ...asked, pairs })).grids);
    await expect(patched({ ...asked, pairs, pairsText })).rejects.toMatchObject({ info: { code: 'OPTION_INVALID' } });
    await expect(patched({ ...asked, pairsText: '{"prompt": 5}\nx' })).rejects.toThrow(/line 1|line 2/);
  });

  it('tells by what each pair is measured, where it is not the same', async () => {
    const pairs = path.join(folder, 'own-metrics.jsonl');
    const [a, b] = [capital, { prompt: capital.corrupt, corrupt: capital.prompt }].map((p) => JSON.stringify(p));
    writeFileSync(pairs, `${a}\n${b}\n`);
    const own = await patched({ pairs, sites: 'z', layers: [1] });
    expect(own.metrics).toEqual(['logit(" Haven") - logit(" Thorn")', 'logit(" Thorn") - logit(" Haven")']);
    expect((await patched({ pairs, ...words, sites: 'z', layers: [1] })).metrics).toBeUndefined();
  });

  it.each(['zero', 'mean', 'resample'])('ablates heads: %s', async (method) => {
    const r = await patched({ ...capital, method, sites: 'z', metric: 'logit(" Haven")' });
    expect(r.effect).toBe('change');
    expect(r.grids[0]?.effect.flat().some((x) => Math.abs(x ?? 0) > 0.01)).toBe(true);
  });

  it('guesses by gradients, says so, and tells how good the guess is', async () => {
    const r = await patched({ ...capital, ...words, method: 'attribution', sites: 'resid_post,z', checked: 30 });
    expect(r.notes?.join(' ')).toContain('guesses by gradients');
    expect(r.guess?.checked).toBe(30);
    expect(r.guess?.correlation).toBeGreaterThan(0.3);
    expect(r.guess?.correlation).toBeLessThan(1);
  });

  it('goes on from a file of results, and refuses that of another request', async () => {
    const resume = path.join(folder, 'sweep.jsonl');
    const request = { ...capital, ...words, sites: 'attn_out', resume };
    const whole = await patched(request);
    expect(whole.known).toBe(0);
    const text = readFileSync(resume, 'utf8').split('\n');
    writeFileSync(resume, text.slice(0, 20).join('\n') + '\n["0:0:'); // cut off in the middle of a line
    const rest = await patched(request);
    expect(rest.known).toBe(19);
    expect(rest.grids).toEqual(whole.grids);
    await expect(patched({ ...request, sites: 'mlp_out' })).rejects.toThrow('another request');
  });

  it.each([
    { method: 'path', sites: 'z,mlp_out', by: undefined },
    { method: 'path', sites: 'z', receivers: 'blocks.4.attn.q' },
    { method: 'attribution', sites: 'z,attn_out', checked: 12 },
  ])('goes on from a file of %j', async (own) => {
    const resume = path.join(folder, `${JSON.stringify(own).replaceAll(/\W+/g, '-')}.jsonl`);
    const request = { ...capital, ...words, ...own, resume };
    const whole = await patched(request);
    expect(whole.known).toBe(0);
    const lines = readFileSync(resume, 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThan(20);
    const value = Number(/,(-?[\d.e-]+)\]$/.exec(lines[3] ?? '')?.[1]);
    const changed = [...lines.slice(0, 3), (lines[3] ?? '').replace(/,[^,]+\]$/, ',12345]'), ...lines.slice(4, -3)];
    writeFileSync(resume, changed.join('\n'));
    const rest = await patched(request);
    expect(rest.known).toBeGreaterThan(0);
    expect(rest.runs).toBeLessThan(whole.runs);
    const [before, after] = [whole, rest].map((r) => r.grids.flatMap((g) => g.raw.flat()));
    const differing = before?.flatMap((x, i) => (x === after?.[i] ? [] : [x])) ?? [];
    expect(differing).toHaveLength(own.method === 'attribution' ? differing.length : 1); // what the file says is taken
    if (own.method === 'path') expect(differing[0]).toBe(value);
  });

  it('ends at a cancel, and keeps what was there', async () => {
    const stop = new AbortController();
    const resume = path.join(folder, 'stopped.jsonl');
    const progress = ({ done }: { done: number }): void => {
      if (done > 10) stop.abort();
    };
    // so long that not all of it is led through the model at once
    const [prompt, corrupt] = [capital.prompt, capital.corrupt].map((text) => 'The capital of '.repeat(10) + text);
    const sites = 'resid_pre,attn_out,mlp_out,z,q,k,v';
    const request = { prompt, corrupt, ...words, sites, by: ['position'], resume };
    await expect(patched(request, { ...context, signal: stop.signal, progress })).rejects.toMatchObject({
      info: { code: 'CANCELLED' },
    });
    const rest = await patched(request);
    expect(rest.known).toBeGreaterThan(10);
  });

  it.each([
    [{ ...capital, metric: 'logit(" Havenwood")' }, 'AMBIGUOUS_TOKEN'],
    [{ ...capital, metric: 'blocks.0.resid_pre' }, 'EXPRESSION_INVALID'],
    [{ ...capital, metric: 'logit(" Haven"' }, 'EXPRESSION_SYNTAX'],
    [{ ...capital, ...words, sites: 'resid_prae' }, 'SITE_UNKNOWN'],
    [{ ...capital, ...words, sites: 'resid_pre', by: ['head'] }, 'OPTION_INVALID'],
    [{ ...capital, ...words, sites: 'logits' }, 'OPTION_INVALID'],
    [{ prompt: 'The', ...words }, 'OPTION_INVALID'],
    [{ prompt: 'The', ...words, method: 'noise' }, 'OPTION_INVALID'],
    [{ ...capital, ...words, method: 'path', receivers: 'blocks.3.mlp_out' }, 'OPTION_INVALID'],
    [{ ...capital, ...words, method: 'path', receivers: 'blocks.30.attn.q' }, 'OPTION_INVALID'],
    [{ ...capital, ...words, receivers: 'logits' }, 'OPTION_INVALID'],
    [{ ...capital, ...words, sites: 'z[head=2]' }, 'OPTION_INVALID'],
    [{ ...capital, ...words, maxBytes: 1000 }, 'MEMORY_LIMIT'],
    [{ ...capital, ...words, out: 'x.xlsx' }, 'OPTION_INVALID'],
    [{ prompt: 'The', corrupt: 'The' }, 'OPTION_INVALID'],
  ])('refuses %j', async (request, code) => {
    await expect(patched(request)).rejects.toMatchObject({ info: { code } });
  });

  it('measures labels by their names, and what a classifier says where nothing is named', async () => {
    const model = 'judge-sentiment';
    const texts = { model, prompt: 'The soup was awful.', corrupt: 'The soup was wonderful.', sites: 'attn_out' };
    const byNumber = await patched({ ...texts, metric: 'logit(0) - logit(1)' });
    const byName = await patched({ ...texts, answer: 'negative', wrong: 'positive' });
    expect(byName.grids).toEqual(byNumber.grids);
    expect((await patched(texts)).grids).toEqual(byNumber.grids);
    await expect(patched({ ...texts, answer: 'sad' })).rejects.toThrow('there is no label "sad"');
    const same = { ...texts, corrupt: texts.prompt };
    await expect(patched(same)).rejects.toThrow('both prompts lead to "negative"');
  });

  it('measures the words of a masked model at its mask', async () => {
    const texts = { model: 'judge', prompt: 'The soup <mask> awful.', corrupt: 'The soup <mask> wonderful.' };
    const asked = { ...texts, sites: 'attn_out' };
    const at = await patched({ ...asked, metric: 'logit(" was") at position 3 - logit(" is") at position 3' });
    expect((await patched({ ...asked, answer: ' was', wrong: ' is' })).grids).toEqual(at.grids);
  });

  it('reads pairs behind a byte order mark, and says what of a line is wrong', async () => {
    const pairs = path.join(folder, 'pairs.jsonl');
    const line = JSON.stringify({ ...capital, ...words });
    writeFileSync(pairs, `\uFEFF${line}\r\n\r\n${line}\r\n`);
    expect((await patched({ pairs, sites: 'attn_out' })).pairs).toBe(2);
    writeFileSync(pairs, `${line}\n${line.slice(0, -5)}`);
    await expect(patched({ pairs })).rejects.toThrow('line 2: not JSON');
    writeFileSync(pairs, '[1]');
    await expect(patched({ pairs })).rejects.toThrow('line 1: not a pair');
    await expect(patched({ ...capital, wrong: ' Thorn' })).rejects.toThrow('a wrong word is given and no right one');
  });

  it.each(['.csv', '.svg', '.json'])('writes %s', async (ending) => {
    const out = path.join(folder, `grid${ending}`);
    const r = await patched({ ...capital, ...words, sites: 'attn_out', out });
    const text = readFileSync(out, 'utf8');
    if (ending === '.csv') expect(text.trim().split('\n').length).toBe(1 + 7 * 6);
    if (ending === '.svg') expect(text.match(/<rect/g)?.length).toBe(1 + 7 * 6);
    if (ending === '.json') expect((JSON.parse(text) as PatchResult).grids).toEqual(r.grids);
  });
});
