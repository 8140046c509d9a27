import { afterAll, describe, expect, it, vi, type TestContext } from 'vitest';
import { LiveTarget } from '../../src/service/index.js';
import type { InspectResult, TargetTold } from '../../src/protocol/index.js';
import { json, llama } from '../cli/command.js';
import { startScript, type LiveProcess } from './process.js';

vi.setConfig({ testTimeout: 120_000 });

const ids = [5, 42, 9, 31];
const plain = /^made 5,42,9,31,10,55,20$/; // what transformers generates by itself

let open: { process: LiveProcess; target: LiveTarget } | undefined;

/** One process for all; each test lets it stand at the beginning of a generation. */
const attached = async (context: TestContext): Promise<LiveTarget> => {
  if (!open) {
    const process = await startScript(context, 'serve.py', llama, 'generate');
    open = { process, target: await LiveTarget.open({ ...process, ranks: 1 }) };
  }
  const { target } = open;
  const { points } = await target.view({ ask: 'points' });
  await target.points({ remove: points.map((p) => p.id), caught: [] });
  await toStart(target);
  return target;
};

/** Before the model in a prefill. */
const toStart = async (target: LiveTarget): Promise<void> => {
  for (let i = 0; i < 20; i++) {
    await target.resume({ kind: 'step', by: 'token' });
    const { state } = target;
    if (state.position.step === 0 && state.place === 'before root') return;
  }
  throw new Error('no prefill came');
};

const point = async (target: LiveTarget, spec: object): Promise<number> => {
  const { added } = await target.points({ add: [{ label: 'here', ...spec }] });
  const [answer] = added;
  if (!answer || 'error' in answer) throw new Error(JSON.stringify(answer));
  return answer.id;
};

const valueOf = async (target: LiveTarget, expression: string): Promise<number> =>
  Number((await target.view({ ask: 'evaluate', expression })).value);

const floats = (bytes: Uint8Array | undefined): number[] => [
  ...new Float32Array((bytes ?? new Uint8Array()).slice().buffer),
];

afterAll(async () => {
  await open?.target.dispose();
  await open?.process.end();
});

describe('a process that generates', () => {
  it('says what it is, what it can, and what it cannot', async (context) => {
    const target = await attached(context);
    expect(target.about).toMatchObject({
      kind: 'process',
      name: 'LlamaForCausalLM',
      model: { family: 'llama', layers: 3 },
    });
    expect(target.about.can).toMatchObject({ back: false, change: true, again: true });
    expect(target.about.listing.map((l) => l.text.trim().split(/\s{2,}/)).slice(0, 5)).toEqual([
      ['LlamaForCausalLM', 'logits'],
      ['model: LlamaModel'],
      ['embed_tokens: Embedding(61, 32)', 'embed'],
      ['layers: ModuleList'],
      ['0..2: LlamaDecoderLayer', 'blocks.*.resid_post'],
    ]);
    await expect(target.resume({ kind: 'step', by: 'layer', back: true })).rejects.toMatchObject({
      info: { code: 'COMMAND_INVALID' },
    });
    await expect(target.apply({ change: 'restart' })).rejects.toMatchObject({ info: { code: 'COMMAND_INVALID' } });
    await expect(target.view({ ask: 'evaluate', expression: 'max(blocks.1.attn.rot_q)' })).rejects.toMatchObject({ info: { code: 'SITE_NOT_CAPTURED', hint: expect.stringContaining('take and give') as string } }); // prettier-ignore
    await expect(target.view({ ask: 'evaluate', expression: 'nowhere' })).rejects.toMatchObject({
      info: { code: 'SITE_UNKNOWN' },
    });
  });

  it('stops at sites by condition and count, and shows the values that our engine has', async (context) => {
    const target = await attached(context);
    const id = await point(target, {
      sites: 'blocks.*.resid_post',
      condition: 'layer == 1 && norm(blocks.1.resid_post) > 1',
      hits: '== 2',
    });
    const { stop, state } = await target.resume({ kind: 'continue' });
    expect(stop).toMatchObject({ reason: 'breakpoint', point: id });
    expect(state).toMatchObject({ place: 'after model.layers.1', layer: 1, position: { step: 1 } });
    expect((await target.view({ ask: 'points' })).points).toEqual([{ id, label: 'here', met: 2, temporary: false }]);
    expect(state.frames.map((f) => f.kind)).toEqual(['layer', 'module', 'module', 'step', 'generation']);
    expect(state.tokens.map((t) => t.id)).toEqual([...ids, 10]);

    await toStart(target);
    await target.points({ remove: [id] });
    await point(target, { sites: 'blocks.1.attn.pattern', temporary: true });
    await target.resume({ kind: 'continue' });
    const args = ['--ids', ids.join(','), '--sites', 'blocks.1.attn.pattern,blocks.1.attn.z', '--quiet'];
    const [pattern, z] = (await json<InspectResult>('inspect', llama, ...args)).sites;
    expect(await valueOf(target, 'std(blocks.1.attn.pattern)')).toBeCloseTo(pattern?.std ?? NaN, 4);
    expect(await valueOf(target, 'max(blocks.1.attn.z)')).toBeCloseTo(z?.max ?? NaN, 4);
    const { bytes, shape, total } = await target.view({ ask: 'bytes', ref: 'blocks.1.attn.z', offset: 8, count: 8 });
    expect({ shape, total }).toEqual({ shape: [1, 4, 4, 8], total: 4 * 128 });
    const cell = await target.view({
      ask: 'evaluate',
      expression: 'blocks.1.attn.z[position=0, head=0, headDim=2..3]',
    });
    expect(cell.first?.map(Number)).toEqual(floats(bytes).map((x) => Number(x.toFixed(5))));
    const { items } = await target.view({ ask: 'scope', scope: 'attention', frame: 'module' });
    expect(items.map((i) => i.name)).toContain('blocks.1.attn.pattern, head 3');
    const { items: rows } = await target.view({ ask: 'children', ref: 'blocks.1.attn.z', part: { at: [0, 1] } });
    expect(rows.map((r) => r.place)).toEqual([0, 1, 2, 3].map((h) => `blocks.1.attn.z[position=1, head=${h}]`));
    const { items: cache } = await target.view({ ask: 'scope', scope: 'cache', frame: 'module' });
    expect(cache.length).toBeGreaterThan(0);
  });

  it('steps in, over and out of modules, by layers and by tokens', async (context) => {
    const target = await attached(context);
    const places: (string | undefined)[] = [];
    for (const by of ['op', 'op', 'module', 'module', 'layer', 'op', 'op', 'op', 'op', 'op'] as const)
      places.push((await target.resume({ kind: 'step', by })).state.place);
    places.push((await target.resume({ kind: 'out' })).state.place, (await target.resume({ kind: 'out' })).state.place);
    expect(places).toEqual([
      ...['before model', 'before model.embed_tokens', 'after model.embed_tokens', 'before model.rotary_emb'],
      ...['before model.layers.0', 'before model.layers.0.input_layernorm', 'after model.layers.0.input_layernorm'],
      ...[
        'before model.layers.0.self_attn',
        'before model.layers.0.self_attn.q_proj',
        'after model.layers.0.self_attn.q_proj',
      ],
      ...['after model.layers.0.self_attn', 'after model.layers.0'],
    ]);
    const { state } = await target.resume({ kind: 'step', by: 'token' });
    expect(state).toMatchObject({ place: 'before root', position: { step: 1 } });
  });

  it('changes values once or for good, skips modules, takes changes back; then it generates what it always did', async (context) => {
    const target = await attached(context);
    await point(target, { sites: 'blocks.1.mlp_out', steps: [0] });
    await target.resume({ kind: 'continue' });
    const before = await valueOf(target, 'norm(blocks.1.mlp_out)');
    await target.apply({ change: 'edit', text: 'scale blocks.1.mlp_out by 2 at step 0' });
    expect(await valueOf(target, 'norm(blocks.1.mlp_out)')).toBeCloseTo(2 * before, 3);
    const written = Buffer.from(Float32Array.of(7).buffer).toString('base64');
    await target.apply({ change: 'write', ref: 'blocks.1.mlp_out', offset: 4, bytes: written });
    const first = await target.view({ ask: 'evaluate', expression: 'blocks.1.mlp_out[position=0, model=1]' });
    expect(first.first).toEqual(['7']);
    expect(await target.apply({ change: 'undo' })).toMatchObject({ done: true });
    expect(await target.apply({ change: 'undo' })).toMatchObject({ done: true, state: { edits: [] } });
    expect(await valueOf(target, 'norm(blocks.1.mlp_out)')).toBe(before);

    await target.apply({ change: 'edit', text: 'skip layer 1\ndrop head 2.1' });
    await target.resume({ kind: 'step', by: 'layer', times: 1 });
    expect(await valueOf(target, 'norm(blocks.1.resid_post - blocks.1.resid_pre)')).toBe(0);
    await point(target, { sites: 'blocks.2.attn_out', temporary: true });
    await target.resume({ kind: 'continue' });
    expect(await valueOf(target, 'max(blocks.2.attn.z[head=1])')).toBe(0);
    expect(await valueOf(target, 'absmax(blocks.2.attn.z[head=0])')).toBeGreaterThan(0);
    await target.apply({ change: 'undo' });
    await target.apply({ change: 'undo' });

    const name = 'model.layers.0.mlp.down_proj.weight';
    const weight = await target.view({ ask: 'bytes', ref: `weight:${name}`, offset: 0, count: 16 });
    await target.apply({ change: 'edit', text: `weight ${name}[out=0] *= 3` });
    const tripled = await target.view({ ask: 'bytes', ref: `weight:${name}`, offset: 0, count: 16 });
    expect(floats(tripled.bytes)).toEqual(floats(weight.bytes).map((x) => Math.fround(3 * x)));
    await target.apply({ change: 'undo' });
    expect((await target.view({ ask: 'bytes', ref: `weight:${name}`, offset: 0, count: 16 })).bytes).toEqual(
      weight.bytes,
    );
    await expect(target.apply({ change: 'edit', text: 'temperature 0.5' })).rejects.toMatchObject({
      info: { code: 'EDIT_INVALID' },
    });
    expect(target.state.edits).toEqual([]);
  });

  it('runs a module again with what it was given, with the cache as it was', async (context) => {
    const target = await attached(context);
    await point(target, { sites: 'after model.layers.1.mlp', steps: [1] });
    await target.resume({ kind: 'continue' });
    const before = await target.view({ ask: 'bytes', ref: 'blocks.1.mlp_out', offset: 0, count: 128 });
    const layer = target.state.frames.find((f) => f.kind === 'layer');
    const { state, stop } = await target.resume({ kind: 'goto', position: layer?.begins ?? { step: 0, at: 0, op: 0 } });
    expect({ place: state.place, reason: stop.reason }).toEqual({ place: 'before model.layers.1', reason: 'goto' });
    await target.resume({ kind: 'continue' });
    expect(target.state.place).toBe('after model.layers.1.mlp, call 2');
    const after = await target.view({ ask: 'bytes', ref: 'blocks.1.mlp_out', offset: 0, count: 128 });
    expect(after.bytes).toEqual(before.bytes);
  });

  it('logs, watches, says what comes next, and reads the stream early', async (context) => {
    const target = await attached(context);
    const told: string[] = [];
    const onTold = (t: TargetTold): void => {
      if (t.told === 'log') told.push(t.text);
    };
    await point(target, { sites: 'blocks.0.resid_post', log: 'step {step}: {norm(blocks.0.resid_post) > 0}' });
    const id = await point(target, {
      watch: 'norm(blocks.2.resid_post) > 0.5 * norm(blocks.2.resid_pre) && step == 1',
    });
    await point(target, { sites: 'after root', steps: [1] });
    const { stop } = await target.resume({ kind: 'continue' }, { onTold });
    expect(stop).toMatchObject({ reason: 'data', point: id, before: false, after: true });
    expect(told).toEqual(['step 0: true', 'step 1: true']);
    await target.resume({ kind: 'continue' });
    const { words } = await target.view({ ask: 'words', count: 3 });
    expect(words[0]).toMatchObject({ id: 55, text: 't55' });
    expect(await valueOf(target, 'rank("t55")')).toBe(1);
    expect(await valueOf(target, 'prob(55)')).toBeCloseTo(words[0]?.probability ?? NaN, 4);
    const { rows } = await target.view({ ask: 'lens', tokens: ['"t55"'] });
    expect(rows.map((r) => r.place)).toEqual([
      'blocks.0.resid_pre',
      'blocks.1.resid_pre',
      'blocks.2.resid_pre',
      'blocks.2.resid_post',
    ]);
    expect(rows.at(-1)?.top.probability).toBeCloseTo(words[0]?.probability ?? NaN, 5);
    const wrong = await target.points({ add: [{ label: 'x', sites: 'nowhere.*' }, { label: 'y', condition: '1 +', layers: [0] }, { label: 'z', layers: [9] }], caught: ['nan', 'fire'] }); // prettier-ignore
    expect(wrong.added.map((a) => ('error' in a ? a.error.code : 'set'))).toEqual([
      'SITE_UNKNOWN',
      'EXPRESSION_SYNTAX',
      'COMMAND_INVALID',
    ]);
    expect(wrong.caught).toMatchObject([{ kind: 'nan' }, { error: { code: 'COMMAND_INVALID' } }]);
  });

  it('shows the operations in a module where that is asked for', async (context) => {
    const target = await attached(context);
    await target.apply({ change: 'ops', modules: 'model.layers.0.mlp' });
    await point(target, { sites: 'before model.layers.0.mlp', temporary: true });
    await target.resume({ kind: 'continue' });
    const places: string[] = [];
    for (let i = 0; i < 12; i++) places.push((await target.resume({ kind: 'step', by: 'op' })).state.place ?? '');
    const ops = places.filter((p) => p.includes('aten.'));
    expect(ops.some((p) => /aten\.(mm|addmm|linear|matmul)/.test(p))).toBe(true);
    expect(ops.some((p) => p.includes('aten.silu'))).toBe(true);
    await target.apply({ change: 'ops', modules: 'off' });
  });

  it('goes on when the debugger has gone, and made what it makes without one', async (context) => {
    const target = await attached(context);
    await point(target, { sites: 'blocks.0.resid_post' });
    await target.resume({ kind: 'continue' });
    const { process } = open ?? { process: undefined };
    const lines = process?.lines.length ?? 0;
    await target.dispose();
    for (let i = 0; i < 100 && (process?.lines.length ?? 0) < lines + 3; i++)
      await new Promise((r) => setTimeout(r, 50));
    const made = process?.lines.slice(lines) ?? [];
    expect(made.length).toBeGreaterThanOrEqual(3);
    expect(made.every((line) => plain.test(line))).toBe(true);
    open = undefined;
    await process?.end();
  });
});
