/** Sites that are named as the listing names them: those of the layer where the run stands. */
import { afterEach, describe, expect, it } from 'vitest';
import { shownNumber, type Target } from '../../src/debugger/index.js';
import type { Motion } from '../../src/protocol/index.js';
import { asked, targets } from './targets.js';

const opened: Target[] = [];
const targetOf = async (kind: string): Promise<Target> => {
  const target = await targets[kind]?.(asked());
  if (!target) throw new Error(`there is no target ${kind}`);
  opened.push(target);
  return target;
};
afterEach(async () => {
  for (const target of opened.splice(0)) await target.dispose();
});

/** Where a run stops on its way, with a condition at all layers. */
const stopsOf = async (kind: string, condition: string): Promise<readonly string[]> => {
  const target = await targetOf(kind);
  await target.points({ add: [{ label: 'here', sites: 'blocks.*.mlp_out', condition }] });
  const places: string[] = [];
  const go: Motion = { kind: 'continue' };
  for (let { stop } = await target.resume(go); stop.reason === 'breakpoint'; { stop } = await target.resume(go))
    places.push(`${target.state.position.step} ${target.state.place ?? ''}`);
  return places;
};
const value = async (target: Target, expression: string): Promise<string> =>
  (await target.view({ ask: 'evaluate', expression })).value;
/** A watched number as a look shows it. */
const shown = (watched: unknown): string => shownNumber(Number(watched));
const toLayer = async (target: Target, layer: number): Promise<void> => {
  await target.points({ add: [{ label: 'to', sites: `blocks.${layer}.mlp_out`, temporary: true }] });
  await target.resume({ kind: 'continue' });
  expect(target.state.place).toBe(`blocks.${layer}`);
};

describe.each(['engine', 'recording'])('on %s, a site of the layer', (kind) => {
  it('is looked at without its layer, and is another one further on', async () => {
    const target = await targetOf(kind);
    const seen: string[] = [];
    for (const layer of [0, 1]) {
      await toLayer(target, layer);
      seen.push(await value(target, 'norm(attn.z) + max(attn.pattern[query=-1])'));
      expect(seen.at(-1)).toBe(
        await value(target, `norm(blocks.${layer}.attn.z) + max(blocks.${layer}.attn.pattern[query=-1])`),
      );
      expect(await value(target, 'attn.z')).toBe(await value(target, `blocks.${layer}.attn.z`));
    }
    expect(seen[0]).not.toBe(seen[1]);
  });

  it('makes one condition for all layers', async () => {
    const all = await stopsOf(kind, 'norm(attn.z) > 0');
    expect(all.length).toBeGreaterThan(3);
    const target = await targetOf(kind);
    await toLayer(target, 1);
    const bound = await value(target, 'norm(attn.z[position=-1])');
    const each = [0, 1, 2].map(
      (layer) => `(layer == ${layer} && norm(blocks.${layer}.attn.z[position=-1]) > ${bound})`,
    );
    const wanted = (await Promise.all(each.map((one) => stopsOf(kind, one)))).flat();
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.length).toBeLessThan(all.length);
    expect([...(await stopsOf(kind, `norm(attn.z[position=-1]) > ${bound}`))].sort()).toEqual([...wanted].sort());
  });

  it('is written by a log point, and watched in the layer where the watch was set', async () => {
    const target = await targetOf(kind);
    await toLayer(target, 1);
    const before = await value(target, 'norm(attn.z[position=-1])');
    const { added } = await target.points({
      add: [
        { label: 'log', sites: 'blocks.1.resid_post', log: 'z {norm(attn.z[position=-1])}' },
        { label: 'watch', watch: 'norm(attn.z[position=-1])' },
      ],
    });
    expect(added.every((a) => 'id' in a)).toBe(true);
    const logged: string[] = [];
    const onTold = (told: { readonly told: string; readonly text?: string }): void => {
      if (told.told === 'log') logged.push(told.text ?? '');
    };
    const { stop } = await target.resume({ kind: 'continue' }, { onTold });
    expect(logged[0]).toContain(`z ${before}`);
    expect(stop.reason).toBe('data');
    expect(shown(stop.before)).toBe(before);
    expect(await value(target, 'norm(blocks.1.attn.z[position=-1])')).toBe(shown(stop.after));
  });

  it('is told of where the run is in no layer, or in one without it', async () => {
    const target = await targetOf(kind);
    const refused = target.view({ ask: 'evaluate', expression: 'norm(attn.z)' });
    await expect(refused).rejects.toMatchObject({ info: { code: 'SITE_NOT_CAPTURED' } });
    await expect(target.view({ ask: 'evaluate', expression: 'norm(atn.z)' })).rejects.toMatchObject({
      info: { code: 'SITE_UNKNOWN' },
    });
  });
});
