import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generate, prepareExperiment, runOrder, type Variant } from '../../src/engine/index.js';
import { parseEdits } from '../../src/language/index.js';
import { contextFor, openModel, promptOfIds, type OpenModel } from '../../src/service/index.js';
import { tiny } from '../cli/command.js';
import { Timeline, type Place } from '../../src/debugger/index.js';

const made = 4;

const opened = async (variant: string): Promise<OpenModel> =>
  openModel(tiny(variant), { device: 'cpu', engine: 'onnxruntime' });

const plainOf = (model: OpenModel): Variant => ({
  order: runOrder(model.program, []),
  edits: new Map(),
  weights: new Map(),
});

const likeliest = (logits: Float32Array): number => logits.indexOf(logits.reduce((a, b) => Math.max(a, b), -Infinity));

const promptOf = (model: OpenModel) =>
  promptOfIds(model, [5, 42, 9, 31], model.program.facts.encoder ? [7] : undefined);

const timelineOf = (model: OpenModel, variant = plainOf(model)): Timeline => {
  const prompt = promptOf(model);
  return new Timeline({
    ...{ program: model.program, compilations: model.compilations, variant, ids: prompt.ids },
    ...(prompt.source ? { source: prompt.source.ids } : {}),
    choose: (logits, _, step) => (step < made ? likeliest(logits) : undefined),
  });
};

/** Runs to the end; the tokens that were made. */
const finish = async (timeline: Timeline): Promise<readonly number[]> => {
  while (await timeline.forward());
  return timeline.ids.slice(timeline.request.ids.length);
};

const generated = async (model: OpenModel, variant = plainOf(model)): Promise<readonly number[]> => {
  const prompt = promptOf(model);
  const ids: number[] = [];
  const steps = generate(model, {
    ...{ variant, ids: prompt.ids, maxNewTokens: made, sampling: {}, eos: new Set<number>() },
    ...(prompt.source ? { source: prompt.source.ids } : {}),
  });
  for await (const { taken } of steps) if (taken) ids.push(taken.id);
  return ids;
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
    expect(await finish(timelineOf(model))).toEqual(await generated(model));
    await model.dispose();
  });

  it('is at the same bits however it came there', async () => {
    const model = await opened(variant);
    const blocks = model.program.segments.filter((s) => s.kind === 'block' && s.stack !== 'encoder').length;
    const place = fc.record({ step: fc.nat({ max: made }), at: fc.nat({ max: blocks }) });
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 2, maxLength: 6 }), async (route) => {
        const last = route.at(-1) ?? { step: 0, at: 0 };
        const [direct, roaming] = [timelineOf(model), timelineOf(model)];
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
    const timeline = timelineOf(model);
    await finish(timeline);
    await timeline.goTo({ step: 0, at: 0 });
    timeline.change(edited);
    expect(await finish(timeline)).toEqual(await generated(model, edited));
    await timeline.goTo({ step: 0, at: 0 });
    timeline.change(plainOf(model));
    expect(await finish(timeline)).toEqual(await generated(model));
    await model.dispose();
  });
});

describe('a timeline', () => {
  it('keeps what ran before a change and forgets what came after', async () => {
    const model = await opened('llama-grouped');
    const { variant } = await prepareExperiment(contextFor(model, promptOf(model), made), parseEdits('skip layer 2'));
    const timeline = timelineOf(model);
    await finish(timeline);
    const before = timeline.ids;
    await timeline.goTo({ step: 2, at: 1 });
    timeline.change(variant);
    const after = [...timeline.request.ids, ...(await finish(timeline))];
    expect(after.slice(0, 6)).toEqual(before.slice(0, 6));
    expect(after).not.toEqual(before);
    await model.dispose();
  });

  it('is nowhere beyond the end', async () => {
    const model = await opened('llama-grouped');
    const timeline = timelineOf(model);
    expect(await timeline.goTo({ step: made + 1, at: 0 })).toBe(false);
    expect(await timeline.goTo({ step: 0, at: 99 })).toBe(false);
    await model.dispose();
  });
});
