/** The operations that look at a run, against what `run`, `inspect` and the engine say of the same prompt. */
import { describe, expect, it } from 'vitest';
import { lens as lensRows } from '../src/analyses/lens/index.js';
import { forward, KeptRuns, prepareExperiment } from '../src/engine/index.js';
import { parseEdits } from '../src/language/index.js';
import { compareInput, knockoutInput, lensInput, runInput, type RunResult } from '../src/protocol/index.js';
import { compare, contextFor, knockout, lens, openModel, promptOfIds, run } from '../src/service/index.js';
import { gpt2, llama, tiny } from './cli/command.js';

const context = { signal: new AbortController().signal, note: () => undefined };
const ids = [5, 42, 9, 31];

const nextOf = async (model: string, edits: readonly string[], target?: readonly number[]): Promise<RunResult> => {
  const given = { model, ids, edits: edits.map((text) => ({ text })), ...(target ? { targetIds: target } : {}) };
  return (await run.run(runInput.parse(given), context)) as RunResult;
};

const opened = async (model: string) => {
  const open = await openModel(model, { device: 'cpu', engine: 'onnxruntime' });
  const prompt = promptOfIds(open, ids, open.program.facts.encoder ? [7, 8] : undefined);
  return { open, prompt };
};
type Opened = Awaited<ReturnType<typeof opened>>;

const variantOf = async ({ open, prompt }: Opened, edits: string) =>
  (await prepareExperiment(contextFor(open, prompt, 0), parseEdits(edits))).variant;
const requestOf = ({ prompt }: Opened) => ({
  ...{ ids: prompt.ids, logits: 'all' as const },
  ...(prompt.source ? { source: prompt.source.ids } : {}),
});

describe.each(['gpt2-default', 'llama-grouped', 't5-default', 'bart-default'])('kept runs of %s', (variant) => {
  it('begin where an earlier run was alike, and have the bits of a run from the start', async () => {
    const model = await opened(tiny(variant));
    const prefix = model.open.program.facts.encoder ? 'decoder.' : '';
    const edits = [
      '',
      `drop head ${prefix}1.0`,
      `drop head ${prefix}1.0\ndrop head ${prefix}1.2`,
      `skip layer ${prefix}0`,
    ];
    const kept = new KeptRuns(1e9);
    const [reused, most]: [number[], number[]] = [[], []];
    for (const text of [...edits, ...edits]) {
      const request = { ...requestOf(model), variant: await variantOf(model, text) };
      const [again, fresh] = [await kept.run(model.open, request), await new KeptRuns(0).run(model.open, request)];
      expect([...(again.logits?.data ?? [])]).toEqual([...(fresh.logits?.data ?? [NaN])]);
      expect(fresh.reused).toBe(0);
      for (const { name } of again.instances) expect(again.stream(name)).toEqual(fresh.stream(name));
      reused.push(again.reused);
      most.push(again.instances.length);
    }
    expect(reused[1]).toBeGreaterThan(0);
    expect(reused.slice(4)).toEqual(most.slice(4));
    await model.open.dispose();
  });
});

describe('kept runs', () => {
  it('tell another number in the same edit, and another prompt', async () => {
    const model = await opened(llama);
    const kept = new KeptRuns(1e9);
    const ask = async (edits: string, given = ids) =>
      kept.run(model.open, { ...requestOf(model), ids: given, variant: await variantOf(model, edits) });
    await ask('scale blocks.1.attn.z by 0.5');
    expect((await ask('scale blocks.1.attn.z by 0.6')).reused).toBe(2);
    expect((await ask('scale blocks.1.attn.z by 0.6')).reused).toBe(5);
    expect((await ask('scale blocks.1.attn.z by 0.6', [5, 42, 9, 30])).reused).toBe(0);
    await model.open.dispose();
  });

  it('capture from the layer that is asked for to the last such, with the bits of a whole run', async () => {
    const model = await opened(llama);
    const kept = new KeptRuns(1e9);
    const variant = await variantOf(model, '');
    const source = { variant, ids: model.prompt.ids };
    await kept.run(model.open, { ...source, logits: 'none' });
    const ran: string[] = [];
    const found = new Map<string, readonly number[]>();
    const capture = new Set(['blocks.1.attn.pattern', 'blocks.2.resid_pre']);
    await kept.run(model.open, {
      ...{ ...source, logits: 'none', capture },
      onSegment: (name) => void ran.push(name),
      onSites: (values) => values.forEach(({ data }, name) => found.set(name, [...data].map(Number))),
    });
    expect(ran).toEqual(['blocks.1', 'blocks.2']);
    const { sites } = await forward(model.open, { variant, ids: [model.prompt.ids], capture, logits: 'none' });
    for (const name of capture) expect(found.get(name)).toEqual([...(sites.get(name)?.data ?? [])].map(Number));
    await model.open.dispose();
  });

  it('have the scores of the last token where all were made', async () => {
    const model = await opened(llama);
    const kept = new KeptRuns(1e9);
    const request = { variant: await variantOf(model, ''), ids: model.prompt.ids };
    const all = await kept.run(model.open, { ...request, logits: 'all' });
    const last = await kept.run(model.open, { ...request, logits: 'last' });
    const fresh = await new KeptRuns(0).run(model.open, { ...request, logits: 'last' });
    expect(last.reused).toBe(last.instances.length);
    expect([...(last.logits?.data ?? [])]).toEqual([...(fresh.logits?.data ?? [NaN])]);
    expect(last.logits?.shape).toEqual(fresh.logits?.shape);
    expect(all.logits?.shape[1]).toBe(model.prompt.ids.length);
    await model.open.dispose();
  });

  it('tell another weight', async () => {
    const model = await opened(llama);
    const kept = new KeptRuns(1e9);
    const ask = async (edits: string) =>
      kept.run(model.open, { ...requestOf(model), variant: await variantOf(model, edits) });
    await ask('');
    const weight = 'weight model.layers.2.mlp.up_proj.weight *=';
    expect((await ask(`${weight} 0.5`)).reused).toBe(3);
    expect((await ask(`${weight} 0.25`)).reused).toBe(3);
    await model.open.dispose();
  });
});

describe.each([
  ['llama-grouped', ''],
  ['t5-default', 'decoder.'],
])('lens of %s', (variant, prefix) => {
  it('says at each position what the lens of one position says', async () => {
    const model = await opened(tiny(variant));
    const edits = `drop head ${prefix}1.0`;
    const given = { model: tiny(variant), ids, edits: [{ text: edits }], words: [7, 40], top: 2 };
    const target = prefix === '' ? {} : { targetIds: [7, 8] };
    const board = await lens.run(lensInput.parse({ ...given, ...target }), context);
    expect(board.positions).toHaveLength(model.prompt.ids.length);
    for (const position of board.positions) {
      const rows = await lensRows(model.open, {
        ...{ variant: await variantOf(model, edits), prompt: model.prompt, position },
      });
      expect(board.rows).toHaveLength(rows.length);
      rows.forEach(({ logits }, r) => {
        const cell = board.rows[r]?.cells[position];
        const exps = [...logits].map(Math.exp);
        const total = exps.reduce((a, b) => a + b, 0);
        const p = exps.map((x) => x / total);
        expect(cell?.words.map((w) => w.probability)).toEqual(
          [7, 40].map((id) => expect.closeTo(p[id] ?? NaN, 6) as number),
        );
        expect(cell?.words[0]?.rank).toBe(1 + p.filter((x) => x > (p[7] ?? 0)).length);
        expect(cell?.top[0]?.id).toBe(p.indexOf(Math.max(...p)));
        expect(cell?.entropy).toBeCloseTo(-p.reduce((sum, x) => sum + x * Math.log(x), 0), 5);
      });
    }
    await model.open.dispose();
  });
});

describe('lens', () => {
  it('measures the stream that inspect shows, and how each layer changes it', async () => {
    const model = await opened(gpt2);
    const board = await lens.run(lensInput.parse({ model: gpt2, ids }), context);
    const kept = await new KeptRuns(0).run(model.open, { ...requestOf(model), variant: await variantOf(model, '') });
    const row = (name: string, position: number): number[] => {
      const stream = kept.stream(name);
      const width = stream?.shape[2] ?? 0;
      return Array.from(stream?.data.slice(position * width, (position + 1) * width) ?? [], Number);
    };
    const norm = (x: readonly number[]): number => Math.hypot(...x);
    const [before, after] = [row('blocks.0', 2), row('blocks.1', 2)];
    const cell = board.rows.find((r) => r.after === 'blocks.1')?.cells[2];
    expect(cell?.norm).toBeCloseTo(norm(after), 4);
    expect(cell?.change).toBeCloseTo(norm(after.map((x, i) => x - (before[i] ?? 0))) / norm(before), 5);
    expect(board.rows[0]?.cells[2]?.change).toBeNull();
    await model.open.dispose();
  });

  it('reads only the parts and positions that are asked for', async () => {
    const given = { model: gpt2, ids, after: ['blocks.1'], positions: [3, 1] };
    const all = await lens.run(lensInput.parse({ model: gpt2, ids }), context);
    const { rows, positions } = await lens.run(lensInput.parse(given), context);
    expect(positions).toEqual([3, 1]);
    expect(rows).toEqual([{ after: 'blocks.1', cells: [all.rows[2]?.cells[3], all.rows[2]?.cells[1]] }]);
  });

  it('tells the difference to another run: none before the edit', async () => {
    const given = { model: gpt2, ids, edits: [{ text: 'drop head 1.0' }], versus: [] };
    const { rows } = await lens.run(lensInput.parse(given), context);
    expect(rows.map((r) => (r.cells[3]?.versus?.kl ?? NaN) > 0)).toEqual([false, false, true, true]);
    expect(rows[1]?.cells[3]?.versus).toEqual({ kl: 0, distance: 0 });
  });

  it.each([
    [{ ids, positions: [4] }, 'there is no position 4'],
    [{ ids, after: ['blocks.9'] }, 'the stream is not read after blocks.9'],
    [{ ids, words: [61] }, 'token id 61 is out of range'],
  ])('refuses %j', async (given, message) => {
    await expect(lens.run(lensInput.parse({ model: gpt2, ...given }), context)).rejects.toThrow(message);
  });

  it('is refused for labels', async () => {
    const given = { model: tiny('bert-two-labels'), ids };
    await expect(lens.run(lensInput.parse(given), context)).rejects.toThrow('labels');
  });
});

describe('compare', () => {
  it('has the next tokens of both runs, and their divergence', async () => {
    const edit = 'scale blocks.1.attn.z[head=0] by -2';
    const given = { model: llama, ids, edits: [{ text: edit }], words: [40], top: 61 };
    const result = await compare.run(compareInput.parse(given), context);
    const [plain, edited] = [await nextOf(llama, []), await nextOf(llama, [edit])];
    expect(result.before.next.slice(0, 10)).toEqual(plain.next);
    expect(result.after.next.slice(0, 10)).toEqual(edited.next);
    const q = new Map(result.after.next.map((t) => [t.id, t.probability]));
    const kl = result.before.next.reduce((sum, { id, probability: p }) => sum + p * Math.log(p / (q.get(id) ?? 0)), 0);
    expect(result.kl).toHaveLength(4);
    expect(result.kl.at(-1)).toBeCloseTo(kl, 5);
    expect(result.after.words[0]).toMatchObject({ id: 40, probability: expect.closeTo(q.get(40) ?? NaN, 9) as number });
    expect(result.changed).toEqual(
      result.before.best.flatMap(({ id }, i) => (id === result.after.best[i]?.id ? [] : [i])),
    );
  });

  it('tells how surprised the model was by each token', async () => {
    const { after } = await compare.run(compareInput.parse({ model: llama, ids }), context);
    expect(after.surprise[0]).toBeNull();
    const before = await run.run(runInput.parse({ model: llama, ids: ids.slice(0, 2), top: 61 }), context);
    const p = (before as RunResult).next.find((t) => t.id === ids[2])?.probability ?? NaN;
    expect(after.surprise[2]).toBeCloseTo(-Math.log(p), 4);
  });

  it('compares the ends alone where the prompts differ', async () => {
    const given = { model: llama, prompt: 't5 t17 t42', edits: [{ text: 'prompt "t5 t17"' }] };
    const { before, after, kl } = await compare.run(compareInput.parse(given), context);
    expect([before.tokens.length, after.tokens.length, kl.length]).toEqual([3, 2, 1]);
    expect(kl[0]).toBeGreaterThan(0);
  });

  it('compares models whose config differs', async () => {
    const given = { model: llama, ids, edits: [{ text: 'config rms_norm_eps = 0.5' }] };
    const { kl } = await compare.run(compareInput.parse(given), context);
    expect(kl.at(-1)).toBeGreaterThan(0);
  });

  it('tells the labels of a classifier, and words at masks', async () => {
    const labels = await compare.run(compareInput.parse({ model: tiny('bert-two-labels'), ids }), context);
    expect(labels.after.labels).toHaveLength(2);
    expect(labels.after.next).toEqual([]);
    const given = { model: tiny('bert-masked'), prompt: 't2 t42 [MASK] t31', edits: [{ text: 'skip layer 1' }] };
    const masked = await compare.run(compareInput.parse(given), context);
    expect([masked.after.masks?.map((m) => m.position), masked.position]).toEqual([[2], 2]);
    expect(masked.after.masks).not.toEqual(masked.before.masks);
  });
});

describe('knockout', () => {
  it.each([
    [
      llama,
      '1',
      ['drop head 1.0', 'drop head 1.3', 'set blocks.1.attn_out = zero', 'set blocks.1.mlp_out = zero'],
      undefined,
    ],
    [
      tiny('t5-default'),
      'decoder.1',
      ['drop head decoder.1.0', 'drop head decoder.cross.1.1', 'set decoder.blocks.1.cross_attn_out = zero'],
      [7, 8],
    ],
  ] as const)('of %s, layer %s, says what the run with that edit says', async (model, layer, edits, target) => {
    const given = { model, ids, layer, words: [40], ...(target ? { targetIds: [...target] } : {}) };
    const { base, parts } = await knockout.run(knockoutInput.parse(given), context);
    expect(base.top).toEqual((await nextOf(model, [], target)).next[0]);
    expect(base.kl).toBe(0);
    for (const edit of edits) {
      const found = parts.find((p) => p.edit === edit);
      expect(found?.top).toEqual((await nextOf(model, [edit], target)).next[0]);
      expect(found?.kl).toBeGreaterThan(0);
    }
  });

  it('tells the words at a mask, and labels', async () => {
    const model = tiny('bert-masked');
    const given = { model, prompt: 't2 t42 [MASK] t31', layer: 1 };
    const { base } = await knockout.run(knockoutInput.parse(given), context);
    const plain = (await run.run(runInput.parse({ model, prompt: given.prompt }), context)) as RunResult;
    expect(base.top).toEqual(plain.masks?.[0]?.next[0]);
    const labels = await knockout.run(knockoutInput.parse({ model: tiny('bert-two-labels'), ids, layer: 1 }), context);
    expect(labels.base.top.id).toBeLessThan(2);
  });

  it('counts on top of the edits that are given', async () => {
    const given = { model: llama, ids, layer: 2, edits: [{ text: 'skip layer 0' }] };
    const { parts } = await knockout.run(knockoutInput.parse(given), context);
    const both = await nextOf(llama, ['skip layer 0', 'drop head 2.1']);
    expect(parts.find((p) => p.head === 1)?.top).toEqual(both.next[0]);
  });

  it('tries other edits, one at a time', async () => {
    const tries = ['set blocks.1.mlp.post[neuron=3] = zero', 'skip layer 2'];
    const { layer, parts } = await knockout.run(knockoutInput.parse({ model: llama, ids, tries }), context);
    expect([layer, parts.map((p) => p.edit)]).toEqual([undefined, tries]);
    for (const { edit, top } of parts) expect(top).toEqual((await nextOf(llama, [edit])).next[0]);
  });

  it('refuses a layer that is not there', async () => {
    const given = { model: llama, ids, layer: 9 };
    await expect(knockout.run(knockoutInput.parse(given), context)).rejects.toThrow('9');
  });
});
