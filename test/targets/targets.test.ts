import { describe, expect, it } from 'vitest';
import { DebuggerError } from '../../src/base/index.js';
import type { InspectResult, RunResult, TargetTold } from '../../src/protocol/index.js';
import { json, llama } from '../cli/command.js';
import { idOf, opened } from './opened.js';
import { ids, made, targets } from './targets.js';

const generated = async (): Promise<readonly number[]> => {
  const args = ['--ids', ids.join(','), '--max-new-tokens', String(made), '--ignore-eos', '--quiet'];
  return (await json<RunResult>('run', llama, ...args)).generated.ids;
};

describe.each(Object.keys(targets))('a target: %s', (kind) => {
  it('makes the tokens that `run` makes, and tells of each once', async () => {
    const target = await opened(kind);
    const told: TargetTold[] = [];
    const { stop } = await target.resume({ kind: 'continue', here: true }, { onTold: (t) => told.push(t) });
    expect(stop.reason).toBe('end');
    const tokens = told.flatMap((t) => (t.told === 'tokens' ? t.tokens.map((x) => x.id) : []));
    expect(tokens.slice(0, made)).toEqual(await generated());
    expect(target.state.tokens.map((t) => t.id).slice(0, ids.length)).toEqual(ids);
  });

  it('stops at sites, in the step and layer that a condition chooses, and counts', async () => {
    const target = await opened(kind);
    const id = await idOf(target, { sites: 'blocks.*.resid_mid', condition: 'layer == 1', hits: '== 2' });
    const { stop, state } = await target.resume({ kind: 'continue' });
    expect(stop).toMatchObject({ reason: 'breakpoint', point: id });
    expect(state).toMatchObject({ place: 'blocks.1', layer: 1, position: { step: 1 } });
    expect((await target.view({ ask: 'points' })).points).toEqual([
      { id, label: 'here', met: 2, ignore: 0, temporary: false },
    ]);
    expect(await target.points({ remove: [id, 99] })).toMatchObject({ removed: [id] });
    expect((await target.resume({ kind: 'continue' })).stop.reason).toBe('end');
  });

  it('steps by layers and tokens; where a layer is left, the next one is there', async () => {
    const target = await opened(kind);
    const places: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) places.push((await target.resume({ kind: 'step', by: 'layer' })).state.place);
    expect(places.filter((p) => p?.startsWith('blocks.')).length).toBeGreaterThanOrEqual(1);
    await target.resume({ kind: 'step', by: 'token' });
    expect(target.state.position.step).toBe(1);
  });

  it('gives the values that `inspect` gives, in statistics, expressions and bytes', async () => {
    const target = await opened(kind);
    await idOf(target, { sites: 'blocks.1.resid_post' });
    await target.resume({ kind: 'continue' });
    const args = ['--ids', ids.join(','), '--sites', 'blocks.1.resid_post', '--quiet'];
    const [site] = (await json<InspectResult>('inspect', llama, ...args)).sites;
    const { value } = await target.view({ ask: 'evaluate', expression: 'max(blocks.1.resid_post)' });
    expect(Number(value)).toBeCloseTo(site?.max ?? NaN, 4);
    const { items } = await target.view({ ask: 'scope', scope: 'sites', frame: 'layer' });
    const found = items.find((item) => item.name === 'blocks.1.resid_post');
    expect(found).toMatchObject({ ref: 'blocks.1.resid_post', type: 'float32[batch 1, position 4, model 32]' });
    const { bytes, total, shape } = await target.view({
      ask: 'bytes',
      ref: 'blocks.1.resid_post',
      offset: 4,
      count: 8,
    });
    expect({ total, shape, length: bytes?.length }).toEqual({ total: 4 * 32 * 4, shape: [1, 4, 32], length: 8 });
    const cell = await target.view({ ask: 'evaluate', expression: 'blocks.1.resid_post[position=0, model=1]' });
    const number = new DataView(bytes?.slice().buffer ?? new ArrayBuffer(0)).getFloat32(0, true);
    expect(Number(cell.first?.[0] ?? cell.value)).toBeCloseTo(number, 4);
    const { items: rows } = await target.view({ ask: 'children', ref: 'blocks.1.resid_post', part: { at: [0] } });
    expect(rows.map((r) => r.name)).toEqual(['[0]', '[1]', '[2]', '[3]']);
  });

  it('logs, watches, and catches', async () => {
    const target = await opened(kind);
    const told: string[] = [];
    const onTold = (t: TargetTold): void => {
      if (t.told === 'log') told.push(t.text);
    };
    await idOf(target, { sites: 'blocks.0.resid_post', log: 'step {step}: {norm(blocks.0.resid_post) > 0}' });
    await target.resume({ kind: 'continue', here: true }, { onTold });
    expect(told.slice(0, made)).toEqual(['step 0: true', 'step 1: true', 'step 2: true']);
    const { caught } = await target.points({ caught: ['nan', 'fire', 'entropy 99'] });
    expect(caught).toMatchObject([{ kind: 'nan' }, { error: { code: 'COMMAND_INVALID' } }, { kind: 'entropy' }]);
    expect((await target.view({ ask: 'points' })).caught).toEqual(['nan', 'entropy 99']);
    if (!target.about.can.back) return;
    await target.apply({ change: 'restart' });
    const { stop } = await target.resume({ kind: 'continue' });
    expect(stop).toMatchObject({ reason: 'exception', filter: 'entropy' });
  });

  it('refuses what it cannot do, and says what is wrong', async () => {
    const target = await opened(kind);
    const { can } = target.about;
    const codeOf = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'done',
        (error: unknown) => (error instanceof DebuggerError ? error.info.code : 'no error of ours'),
      );
    await target.resume({ kind: 'step', by: 'token' });
    expect(await codeOf(target.resume({ kind: 'step', by: 'layer', back: true }))).toBe(
      can.back ? 'done' : 'COMMAND_INVALID',
    );
    const edit = target.apply({ change: 'edit', text: 'scale blocks.2.mlp_out by 0' });
    expect(await codeOf(edit)).toBe(can.change ? 'done' : 'COMMAND_INVALID');
    expect(await codeOf(target.view({ ask: 'evaluate', expression: 'norm(' }))).toBe('EXPRESSION_SYNTAX');
    expect(await codeOf(target.view({ ask: 'evaluate', expression: 'norm(nowhere)' }))).toMatch(
      /SITE_UNKNOWN|EXPRESSION/,
    );
    expect(await codeOf(target.view({ ask: 'bytes', ref: 'nowhere', offset: 0, count: 4 }))).toBe('SITE_UNKNOWN');
    const { added } = await target.points({
      add: [
        { label: 'x', sites: 'nowhere.*' },
        { label: 'y', condition: '1 +', layers: [0] },
      ],
    });
    expect(added.map((a) => ('error' in a ? a.error.code : 'set'))).toEqual(['SITE_UNKNOWN', 'EXPRESSION_SYNTAX']);
  });
});

describe('a target that goes back and changes', () => {
  it.each(['engine', 'host'])('undoes, compares, and writes numbers as bytes: %s', async (kind) => {
    const target = await opened(kind);
    await idOf(target, { sites: 'blocks.1.mlp_out' });
    await target.resume({ kind: 'continue' });
    const before = (await target.view({ ask: 'evaluate', expression: 'blocks.1.mlp_out' })).value;
    const bytes = Buffer.from(Float32Array.of(3, -3).buffer).toString('base64');
    const { state } = await target.apply({ change: 'write', ref: 'blocks.1.mlp_out', offset: 4, bytes });
    expect(state.edits).toEqual([
      'set blocks.1.mlp_out[position=0, model=1] = 3 at step 0',
      'set blocks.1.mlp_out[position=0, model=2] = -3 at step 0',
    ]);
    const after = await target.view({ ask: 'evaluate', expression: 'blocks.1.mlp_out[position=0, model=1]' });
    expect(after.first).toEqual(['3']);
    await target.resume({ kind: 'step', by: 'layer', times: 9 });
    const compared = await target.view({ ask: 'compare', tokens: ['7'] });
    expect(compared.kl).toBeGreaterThan(0);
    expect(compared.words[0]).toMatchObject({ id: 7 });
    expect(await target.apply({ change: 'undo' })).toMatchObject({ done: true, state: { edits: [] } });
    await target.apply({ change: 'restart' });
    await target.resume({ kind: 'continue' });
    expect((await target.view({ ask: 'evaluate', expression: 'blocks.1.mlp_out' })).value).toBe(before);
    expect((await target.view({ ask: 'compare', tokens: [] })).kl).toBe(0);
  });

  it('reads and writes weights, and shows the cache of a later step', async () => {
    const target = await opened('engine');
    const ref = 'weight:model.layers.0.mlp.down_proj.weight';
    const bytes = Buffer.from(Float32Array.of(9).buffer).toString('base64');
    const { state } = await target.apply({ change: 'write', ref, offset: 8, bytes });
    expect(state.edits).toEqual(['weight model.layers.0.mlp.down_proj.weight[out=0, in=2] = 9']);
    const read = await target.view({ ask: 'bytes', ref, offset: 8, count: 4 });
    expect(new Float32Array(read.bytes?.slice().buffer ?? new ArrayBuffer(0))).toEqual(Float32Array.of(9));
    await target.resume({ kind: 'step', by: 'token' });
    await target.resume({ kind: 'step', by: 'layer', times: 2 });
    const { items } = await target.view({ ask: 'scope', scope: 'cache', frame: 'layer' });
    expect(items.map((i) => i.type)).toEqual(Array(2).fill('float32[batch 1, position 4, kvHead 2, headDim 8]'));
  });
});
