import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../src/debugger/index.js';
import type { InspectResult, MoveResult, TargetState, TargetTold } from '../../src/protocol/index.js';
import { openWeights } from '../../src/formats/index.node.js';
import { toFloat32 } from '../../src/tensor/index.js';
import { scratch } from '../cli/broken.js';
import { cutaway, json, llama } from '../cli/command.js';
import { idOf, opened } from './opened.js';
import { ids } from './targets.js';

const of = 'logit(7) - logit(9)';

const backward = (target: Target, text = of): Promise<MoveResult> => target.resume({ kind: 'backward', of: text });

/** The sites that a walk passes, from where it stands to its end. */
const passed = async (target: Target, by: 'op' | 'layer'): Promise<string[]> => {
  const sites: string[] = [];
  for (let at: TargetState['backward'] = target.state.backward; at; at = target.state.backward) {
    sites.push(at.site);
    await target.resume({ kind: 'step', by });
  }
  return sites;
};

const inspectArgs = (sites: string, more: readonly string[] = [], given: readonly number[] = ids): string[] => [
  ...['--ids', given.join(','), '--sites', sites, '--grad-of', of, '--quiet', ...more],
];

const caughtBy = async (catches: string, sites = 'embed', ...more: string[]): Promise<InspectResult['gradCaught']> => {
  const { stdout } = await cutaway('inspect', llama, ...inspectArgs(sites, ['--grad-catch', catches, '--json', ...more])); // prettier-ignore
  return (JSON.parse(stdout) as InspectResult).gradCaught;
};

const numbers = async (target: Target, ref: string): Promise<Float32Array> => {
  const { bytes } = await target.view({ ask: 'bytes', ref, offset: 0, count: 2 ** 20 });
  return new Float32Array((bytes ?? new Uint8Array()).slice().buffer);
};

const valueOf = async (target: Target, expression: string): Promise<number> =>
  Number((await target.view({ ask: 'evaluate', expression })).value);

describe.each(['engine', 'host'])('the way back of a number: %s', (kind) => {
  it('goes by the sites from the head to the embedding, and has the numbers of `inspect`', async () => {
    const target = await opened(kind);
    const { state } = await backward(target);
    expect(state).toMatchObject({ place: 'head', backward: { of, site: 'logits', from: { step: 0, at: 0, op: 0 } } });
    const out = path.join(scratch, `gradients-${kind}.safetensors`);
    await json('inspect', llama, ...inspectArgs('**', ['--out', out]));
    const weights = await openWeights(out);
    const sites = await passed(target, 'op');
    const known = (await json<{ sites: { name: string; onRequest: boolean }[] }>('list', llama, '--sites')).sites;
    expect(sites.toReversed()).toEqual(known.filter((s) => !s.onRequest).map((s) => s.name));
    await backward(target);
    for (const site of sites) {
      expect(target.state.backward?.site).toBe(site);
      const wanted = toFloat32(await weights.read(`grad(${site})`));
      expect(await numbers(target, `grad(${site})`), site).toEqual(wanted);
      await target.resume({ kind: 'step', by: 'op' });
    }
    await weights.close();
    expect(target.state.backward).toBeUndefined();
  });

  it('is a detour: the run stands where it stood, and makes the same tokens', async () => {
    const plain = await opened(kind);
    await plain.resume({ kind: 'continue' });
    const target = await opened(kind);
    await target.resume({ kind: 'step', by: 'token' });
    await target.resume({ kind: 'step', by: 'layer', times: 2 });
    const { position, tokens, place } = target.state;
    const { stop, state } = await backward(target);
    expect(stop.reason).toBe('step');
    expect(state.tokens).toEqual(tokens);
    const over = await target.resume({ kind: 'continue' });
    expect(over.stop).toMatchObject({ reason: 'goto', description: 'the way back is over: the run stands where it stood' }); // prettier-ignore
    expect(over.state).toMatchObject({ position, place });
    await backward(target);
    expect((await target.resume({ kind: 'backward' })).state).toMatchObject({ position, place });
    await expect(target.resume({ kind: 'backward' })).rejects.toMatchObject({ info: { code: 'COMMAND_INVALID' } });
    await target.resume({ kind: 'continue' });
    expect(target.state.tokens).toEqual(plain.state.tokens);
  });

  it('steps by operations, parts and layers, and back', async () => {
    const target = await opened(kind);
    await backward(target);
    const places: (string | undefined)[] = [];
    for (let i = 0; i < 4; i++) places.push((await target.resume({ kind: 'step', by: 'layer' })).state.place);
    expect(places).toEqual(['blocks.2', 'blocks.1', 'blocks.0', 'embed']);
    await target.resume({ kind: 'step', by: 'layer', back: true });
    expect(target.state.backward?.site).toBe('blocks.0.resid_post');
    const { site } = (await target.resume({ kind: 'step', by: 'module', times: 3 })).state.backward ?? {};
    await target.resume({ kind: 'step', by: 'op' });
    await target.resume({ kind: 'step', by: 'op', back: true });
    expect(target.state.backward?.site).toBe(site);
    const first = await target.resume({ kind: 'continue', back: true });
    expect(first.stop.reason).toBe('beginning');
    expect(first.state.backward?.site).toBe('logits');
    const [line] = (await target.view({ ask: 'places', source: 'listing', line: first.state.line ?? 0 })).places;
    expect(line).toMatchObject({ label: 'grad(logits)', position: { backward: true } });
  });

  it('stops at breakpoints of its own, with conditions, hits and log texts over gradients', async () => {
    const target = await opened(kind);
    const run = await idOf(target, { sites: 'blocks.1.mlp_out' });
    const own = await idOf(target, { sites: 'backward blocks.*.mlp_out', condition: 'layer == 1' });
    const hits = await idOf(target, { sites: 'grad(blocks.*.attn_out)', hits: '== 2' });
    const layer = await idOf(target, { moment: 'backward', layers: [0] });
    await idOf(target, { sites: 'backward blocks.*.resid_mid', log: '{layer}: {norm(grad(resid_mid))}' });
    await idOf(target, { watch: 'norm(grad(resid_post)) < 100' });
    expect(new Set([run, own, hits, layer]).size).toBe(4);
    const told: string[] = [];
    const onTold = (t: TargetTold): void => {
      if (t.told === 'log') told.push(t.text);
    };
    await backward(target);
    const stops: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const { stop, state } = await target.resume({ kind: 'continue' }, { onTold });
      stops.push([stop.point, state.backward?.site]);
    }
    expect(stops).toEqual([
      [own, 'blocks.1.mlp_out'],
      [hits, 'blocks.1.attn_out'],
      [layer, 'blocks.0.resid_post'],
      [undefined, undefined],
    ]);
    expect(told.map((t) => t.slice(0, 3))).toEqual(['2: ', '1: ', '0: ']);
    await target.points({ remove: [own] });
    const { stop } = await target.resume({ kind: 'continue' });
    expect(stop).toMatchObject({ reason: 'breakpoint', point: run });
    const { points } = await target.view({ ask: 'points' });
    expect(points.find((p) => p.id === hits)).toMatchObject({ met: 3 });
  });

  it('watches where a gradient crosses a bound', async () => {
    const target = await opened(kind);
    await backward(target);
    const lengths: number[] = [];
    await target.resume({ kind: 'step', by: 'layer' });
    for (let i = 0; i < 3; i++) {
      lengths.push(await valueOf(target, 'norm(grad(resid_post))'));
      await target.resume({ kind: 'step', by: 'layer' });
    }
    const [first = 0, second = 0] = lengths;
    expect(Math.abs(first - second)).toBeGreaterThan(1e-3);
    const id = await idOf(target, { watch: `norm(grad(resid_post)) < ${(first + second) / 2}` });
    await backward(target);
    await target.resume({ kind: 'step', by: 'layer' });
    const { stop, state } = await target.resume({ kind: 'continue' });
    expect(stop).toMatchObject({ reason: 'data', point: id, before: first < second, after: first > second });
    expect(state.place).toBe('blocks.1');
  });

  it.each(['exploding 0.5', 'exploding 1.5', 'vanishing 1', 'vanishing 1e6'])(
    'stops where `inspect --grad-catch` does: %s',
    async (rule) => {
      const target = await opened(kind);
      expect((await target.points({ caught: [rule] })).caught).toEqual([{ kind: rule.split(' ')[0] }]);
      const caught = await caughtBy(rule);
      const begun = await backward(target);
      const { stop, state } = begun.stop.reason === 'exception' ? begun : await target.resume({ kind: 'continue' });
      if (!caught) {
        expect(stop.reason).toBe('goto');
        return;
      }
      expect(stop).toMatchObject({ reason: 'exception', filter: caught.filter });
      expect(stop.description).toBe(`${caught.site}: ${caught.description}`);
      expect(`grad(${state.backward?.site ?? ''})`).toBe(caught.site);
      expect((await target.resume({ kind: 'continue' })).stop.reason).toBe('goto');
    },
  );

  it('finds where NaN arises on the way, and there only', async () => {
    const edits = ['scale grad(blocks.1.mlp_out) by 1e30', 'scale grad(blocks.1.mlp.post) by 1e30'];
    const target = await opened(kind, { edits: edits.map((text) => ({ text })) });
    await target.points({ caught: ['nan', 'inf', 'vanishing'] });
    await backward(target);
    const { stop, state } = await target.resume({ kind: 'continue' });
    expect(stop).toMatchObject({ reason: 'exception' });
    const looked = await caughtBy('nan, inf', 'blocks.1.**', ...edits.flatMap((e) => ['--edit', e]));
    expect(`grad(${state.backward?.site ?? ''})`).toBe(looked?.site);
    expect(stop.filter).toBe(looked?.filter);
    expect(state.backward?.site).toBe('blocks.1.mlp.post');
  });

  it('has changes of gradients in force, made before and on the way', async () => {
    const target = await opened(kind);
    await backward(target);
    await target.resume({ kind: 'step', by: 'layer', times: 3 });
    const before = await numbers(target, 'grad(blocks.0.resid_post)');
    const { notes, state } = await target.apply({ change: 'edit', text: 'scale grad(blocks.1.resid_mid) by 0' });
    expect({ notes, site: state.backward?.site }).toEqual({ notes: [], site: 'blocks.0.resid_post' });
    expect(await valueOf(target, 'norm(grad(blocks.0.resid_post))')).toBe(0);
    expect(await valueOf(target, 'norm(grad(blocks.1.resid_post))')).toBeGreaterThan(0);
    await target.apply({ change: 'undo' });
    expect(await numbers(target, 'grad(blocks.0.resid_post)')).toEqual(before);
    await target.apply({ change: 'set', place: 'grad(blocks.0.resid_post)', value: '*2' });
    expect(await numbers(target, 'grad(blocks.0.resid_post)')).toEqual(before.map((x) => 2 * x));
    expect(target.state.edits).toEqual(['scale grad(blocks.0.resid_post) by 2']);
    await backward(target, 'norm(blocks.2.resid_mid)');
    const left = await target.apply({ change: 'edit', text: 'skip layer 2' });
    expect(left).toMatchObject({ notes: [expect.stringMatching(/^the way back is left: no site named/)] });
    expect(left.state.backward).toBeUndefined();
    await target.apply({ change: 'undo' });
    const made = await target.apply({ change: 'edit', text: 'set grad(embed) = zero' });
    expect(made.notes.join()).toMatch(/backward EXPRESSION/);
  });

  it('shows what has come back, the values of its pass, and nothing that lies ahead', async () => {
    const target = await opened(kind);
    await target.resume({ kind: 'step', by: 'token' });
    const seen = target.state.tokens.map((t) => t.id);
    expect(seen).toHaveLength(ids.length + 1);
    await backward(target);
    await target.resume({ kind: 'step', by: 'layer', times: 2 });
    const { sites } = await json<InspectResult>('inspect', llama, ...inspectArgs('blocks.1.mlp_out', [], seen));
    expect(await valueOf(target, 'max(blocks.1.mlp_out)')).toBeCloseTo(sites[0]?.max ?? NaN, 4);
    expect(await valueOf(target, 'max(grad(mlp_out))')).toBeCloseTo(sites[1]?.max ?? NaN, 4);
    expect(await valueOf(target, of)).toBeCloseTo(target.state.backward?.value ?? NaN, 3);
    await expect(valueOf(target, 'norm(grad(blocks.0.resid_post))')).rejects.toMatchObject({
      info: { code: 'SITE_NOT_CAPTURED' },
    });
    const inLayer = await target.view({ ask: 'scope', scope: 'gradients', frame: 'layer' });
    expect(inLayer.items.map((i) => i.name)).toContain('grad(blocks.1.attn.pattern)');
    const all = await target.view({ ask: 'scope', scope: 'gradients', frame: 'step' });
    expect(all.items.map((i) => i.name)).toEqual(expect.arrayContaining(['grad(logits)', 'grad(blocks.2.mlp_out)']));
    expect(all.items.map((i) => i.name)).not.toContain('grad(blocks.1.mlp_out)');
    const { items } = await target.view({ ask: 'children', ref: 'grad(blocks.1.resid_post)', part: { at: [0] } });
    expect(items).toHaveLength(seen.length);
    expect(items[0]?.expression).toBe('grad(blocks.1.resid_post)[position=0]');
    const { completions } = await target.view({ ask: 'complete', text: 'gra', column: 4 });
    expect(completions.map((c) => c.text)).toEqual(['grad(']);
  });

  it('says what is wrong', async () => {
    const target = await opened(kind);
    const code = (reason: string) => ({ info: { code: reason } });
    await expect(backward(target, 'rank(7)')).rejects.toMatchObject(code('GRADIENT_UNDEFINED'));
    await expect(backward(target, 'logit(')).rejects.toMatchObject(code('EXPRESSION_SYNTAX'));
    await expect(backward(target, '3 + 4')).rejects.toMatchObject(code('GRADIENT_UNDEFINED'));
    await expect(valueOf(target, 'norm(grad(embed))')).rejects.toMatchObject(code('SITE_NOT_CAPTURED'));
    const wrong = [
      { sites: 'blocks.1.mlp_out', condition: 'norm(grad(mlp_out)) > 1' },
      { sites: 'backward blocks.9.mlp_out' },
      { sites: 'backward' },
      { sites: 'backward blocks.1.mlp_out', steps: [1] },
      { sites: 'backward blocks.1.mlp_out', condition: 'norm(grad(nothing)) > 1' },
    ];
    const { added: answers } = await target.points({ add: wrong.map((spec) => ({ label: 'wrong', ...spec })) });
    const codes = answers.map((a) => ('error' in a ? a.error.code : 'none'));
    expect(codes).toEqual(['COMMAND_INVALID', 'SITE_UNKNOWN', 'COMMAND_INVALID', 'COMMAND_INVALID', 'SITE_UNKNOWN']);
    const { caught } = await target.points({ caught: ['exploding -1', 'vanishing 1 2', 'nan'] });
    expect(caught.map((c) => 'error' in c)).toEqual([true, true, false]);
  });
});

it('has no way back in a recording', async () => {
  const target = await opened('recording');
  await expect(backward(target)).rejects.toMatchObject({ info: { code: 'COMMAND_INVALID' } });
  expect(target.about.can.backward).toBeUndefined();
  const { caught } = await target.points({ caught: ['exploding'] });
  expect(caught[0]).toMatchObject({ error: { code: 'COMMAND_INVALID' } });
});
