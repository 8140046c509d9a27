import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timeline, type Place } from '../../src/debugger/index.js';
import { prepareExperiment } from '../../src/engine/index.js';
import { parseEdits } from '../../src/language/index.js';
import { contextFor } from '../../src/service/index.js';
import { generated, made, opened, plainOf, promptOf, requestOf } from './models.js';

/** Runs to the end; the tokens that were made. */
const finish = async (timeline: Timeline): Promise<readonly number[]> => {
  while (await timeline.forward());
  return timeline.ids.slice(timeline.request.ids.length);
};

/** The bits of the stream at a place. */
const bitsAt = async (timeline: Timeline, place: Place): Promise<string> => {
  expect(await timeline.goTo(place)).toBe(true);
  const next = timeline.next?.segment;
  const site = next?.graph.sites.find((s) => s.name.endsWith('resid_post'))?.name;
  const values = await timeline.look(site === undefined ? [] : [site]);
  return [...values.values()].map((t) => [...t.data].join()).join(';') + String(timeline.ids);
};

describe.each(['llama-grouped', 'gpt2-default', 't5-default'])('a timeline of %s', (variant) => {
  it('makes the tokens that a generation makes', async () => {
    const model = await opened(variant);
    expect(await finish(new Timeline(requestOf(model)))).toEqual(await generated(model));
    await model.dispose();
  });

  it('is at the same bits however it came there', async () => {
    const model = await opened(variant);
    const blocks = model.program.segments.filter((s) => s.kind === 'block' && s.stack !== 'encoder').length;
    const place = fc.record({ step: fc.nat({ max: made }), at: fc.nat({ max: blocks }) });
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 2, maxLength: 6 }), async (route) => {
        const last = route.at(-1) ?? { step: 0, at: 0 };
        const [direct, roaming] = [new Timeline(requestOf(model)), new Timeline(requestOf(model))];
        for (const stop of route) await bitsAt(roaming, stop);
        expect(await bitsAt(roaming, last)).toBe(await bitsAt(direct, last));
        expect(await finish(roaming)).toEqual(await generated(model));
      }),
      { numRuns: 8 },
    );
    await model.dispose();
  });

  it('goes on with what is changed, from where it is', async () => {
    const model = await opened(variant);
    const head = model.program.facts.encoder ? 'decoder.1.0' : '1.0';
    const context = contextFor(model, promptOf(model), made);
    const { variant: edited } = await prepareExperiment(context, parseEdits(`drop head ${head}`));
    const timeline = new Timeline(requestOf(model));
    await finish(timeline);
    await timeline.goTo({ step: 0, at: 0 });
    await timeline.change(edited);
    expect(await finish(timeline)).toEqual(await generated(model, edited));
    await timeline.goTo({ step: 0, at: 0 });
    await timeline.change(plainOf(model));
    expect(await finish(timeline)).toEqual(await generated(model));
    await model.dispose();
  });
});

describe.each(['llama-grouped', 't5-default'])('a timeline of %s that may keep little', (variant) => {
  it('forgets what is old, and comes to the same bits again', async () => {
    const model = await opened(variant);
    const [all, little] = [new Timeline(requestOf(model)), new Timeline({ ...requestOf(model), maxStateBytes: 3000 })];
    expect(await finish(little)).toEqual(await finish(all));
    expect(all.stateBytes).toBeGreaterThan(5000);
    expect(little.stateBytes).toBeLessThan(all.stateBytes / 2);
    for (const place of [2, 0, 3, 1].map((step) => ({ step, at: 2 })))
      expect(await bitsAt(little, place)).toBe(await bitsAt(all, place));
    expect(little.logitsOf(0)).toBeUndefined();
    for (const timeline of [little, all]) {
      await timeline.goTo({ step: 0, at: 0 });
      await timeline.goTo({ step: 0, at: timeline.instances.length });
    }
    expect(little.logits).toEqual(all.logits);
    expect(await finish(little)).toEqual(await generated(model));
    await model.dispose();
  });
});

describe('a timeline', () => {
  it('keeps what ran before a change and forgets what came after', async () => {
    const model = await opened('llama-grouped');
    const { variant } = await prepareExperiment(contextFor(model, promptOf(model), made), parseEdits('skip layer 2'));
    const timeline = new Timeline(requestOf(model));
    await finish(timeline);
    const before = timeline.ids;
    await timeline.goTo({ step: 2, at: 1 });
    await timeline.change(variant);
    const after = [...timeline.request.ids, ...(await finish(timeline))];
    expect(after.slice(0, 6)).toEqual(before.slice(0, 6));
    expect(after).not.toEqual(before);
    await model.dispose();
  });

  it('is nowhere beyond the end', async () => {
    const model = await opened('llama-grouped');
    const timeline = new Timeline(requestOf(model));
    expect(await timeline.goTo({ step: made + 1, at: 0 })).toBe(false);
    expect(await timeline.goTo({ step: 0, at: 99 })).toBe(false);
    await model.dispose();
  });
});
