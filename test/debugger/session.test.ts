import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DebugSession, isBefore, type Granularity, type Position, type Stop } from '../../src/debugger/index.js';
import { prepareExperiment } from '../../src/engine/index.js';
import { parseEdits } from '../../src/language/index.js';
import { contextFor, type OpenModel } from '../../src/service/index.js';
import { generated, made, opened, promptOf, requestOf } from './models.js';

const sessionOf = (model: OpenModel): DebugSession => new DebugSession(requestOf(model));

/** What was made, at the end of a run. */
const newIds = (session: DebugSession): readonly number[] => session.ids.slice(-made);

const finish = async (session: DebugSession): Promise<readonly number[]> => {
  for (;;) {
    const { reason } = await session.continue();
    if (reason === 'end') return newIds(session);
  }
};

const spelled = ({ step, at, op }: Position): string => `${step}.${at}.${op}`;

/** All stops on the way. */
const stopsOf = async (go: () => Promise<Stop>): Promise<string[]> => {
  const stops: string[] = [];
  for (;;) {
    const stop = await go();
    if (stop.reason !== 'breakpoint') return stops;
    stops.push(spelled(stop.position));
  }
};

/** What the run stands at, to the bit: the operation's value, and the tokens so far. */
const stateOf = async (session: DebugSession): Promise<string> => {
  const { instance, position, source } = session;
  const op = instance && source.opsOf(instance.segment.id)[position.op];
  const values = op ? await session.look([], [op.node]) : new Map<string, never>();
  const bits = [...values.values()].map((t: { data: ArrayLike<unknown> }) => Array.from(t.data).join());
  return `${spelled(position)} ${session.ids.join()} ${bits.join(';')}`;
};

const grains: readonly Granularity[] = ['op', 'module', 'layer', 'token'];
const move = fc.record({ back: fc.boolean(), by: fc.constantFrom(...grains) });

describe('stepping', () => {
  it('by operations visits every operation of a step in order, and back the same way', async () => {
    const model = await opened('llama-grouped');
    const session = sessionOf(model);
    const there: string[] = [];
    while (session.position.step === 0 && session.instance) {
      there.push(spelled(session.position));
      await session.stepForward('op');
    }
    const count = model.program.segments.reduce((n, s) => n + session.source.opsOf(s.id).length, 0);
    expect(there).toHaveLength(count);
    const back: string[] = [];
    while ((await session.stepBack('op')).reason === 'step') back.push(spelled(session.position));
    expect(back).toEqual([...there].reverse());
    await model.dispose();
  });

  it('by modules goes over attention and norms, by layers over blocks, by tokens over passes', async () => {
    const model = await opened('llama-grouped');
    const session = sessionOf(model);
    await session.stepForward('layer');
    expect(session.instance?.name).toBe('blocks.0');
    const modules: string[] = [];
    while (session.instance?.name === 'blocks.0') {
      const op = session.source.opsOf('blocks.0')[session.position.op];
      modules.push(op?.module === '' ? (op.site ?? '') : (op?.module ?? ''));
      await session.stepForward('module');
    }
    expect(modules).toEqual(['ln1', 'attn', 'resid_mid', 'ln2', 'mlp', 'resid_post']);
    expect((await session.stepForward('token')).position).toEqual({ step: 1, at: 0, op: 0 });
    expect((await session.stepBack('token')).position).toEqual({ step: 0, at: 0, op: 0 });
    await model.dispose();
  });

  it.each(['llama-grouped', 't5-default'])(
    'at random, forward and back, ends in the bits of going there at once: %s',
    async (variant) => {
      const model = await opened(variant);
      await fc.assert(
        fc.asyncProperty(fc.array(move, { maxLength: 25 }), async (moves) => {
          const session = sessionOf(model);
          for (const { back, by } of moves) await (back ? session.stepBack(by) : session.stepForward(by));
          const direct = sessionOf(model);
          await direct.goTo(session.position);
          expect(await stateOf(session)).toBe(await stateOf(direct));
          expect(await finish(session)).toEqual(await generated(model));
        }),
        { numRuns: 10 },
      );
      await model.dispose();
    },
  );

  it('forward and back again is where it was, and names what it is inside of', async () => {
    const model = await opened('gpt2-default');
    const session = sessionOf(model);
    await session.goTo({ step: 1, at: 2, op: 20 });
    const before = await stateOf(session);
    expect(session.frames.map((f) => f.kind)).toEqual(['op', 'module', 'layer', 'step', 'generation']);
    for (const by of grains.slice(0, 1)) {
      await session.stepForward(by);
      await session.stepBack(by);
      expect(await stateOf(session)).toBe(before);
    }
    await model.dispose();
  });
});

describe('breakpoints', () => {
  it('on a line in a loop stop in every layer and step, on a site before it is given', async () => {
    const model = await opened('llama-grouped');
    const session = sessionOf(model);
    const line = session.source.lines.findIndex((l) => l.site === 'attn.pattern') + 1;
    session.breakpoints.add({ lines: [line] });
    const byLine = await stopsOf(() => session.continue());
    expect(byLine).toHaveLength(3 * (made + 1));
    const other = sessionOf(model);
    other.breakpoints.add({ site: (name) => /^blocks\.\d+\.attn\.pattern$/.test(name) });
    expect(await stopsOf(() => other.continue())).toEqual(byLine);
    expect(newIds(session)).toEqual(await generated(model));
    await model.dispose();
  });

  it('are met in the opposite order on the way back', async () => {
    const model = await opened('llama-grouped');
    const session = sessionOf(model);
    session.breakpoints.add({ site: (name) => name.endsWith('mlp_out'), layers: [0, 2] });
    session.breakpoints.add({ layers: [1], steps: [0, 2] });
    const there = await stopsOf(() => session.continue());
    expect(there.length).toBe(2 * (made + 1) + 2);
    expect(await stopsOf(() => session.reverseContinue())).toEqual([...there].reverse());
    expect(session.position).toEqual({ step: 0, at: 0, op: 0 });
    await model.dispose();
  });

  it('with a condition look at values, with hits count, temporary ones go', async () => {
    const model = await opened('llama-grouped');
    const session = sessionOf(model);
    const seen: number[] = [];
    session.breakpoints.add({
      layers: [1],
      condition: async ({ position }) => {
        const z = (await session.look(['blocks.1.attn.z'])).get('blocks.1.attn.z');
        seen.push(z?.data.length ?? 0);
        return position.step === 1;
      },
    });
    expect((await session.continue()).position.step).toBe(1);
    expect(seen).toEqual([4 * 32, 32]);
    const counted = sessionOf(model);
    counted.breakpoints.add({ layers: [0], hits: (met) => met >= 3 });
    expect((await counted.continue()).position.step).toBe(2);
    const once = sessionOf(model);
    const { id } = once.breakpoints.add({ layers: [0], temporary: true });
    expect((await once.continue()).reason).toBe('breakpoint');
    expect((await once.continue()).reason).toBe('end');
    expect(once.breakpoints.remove(id)).toBe(false);
    await model.dispose();
  });

  it('and looking never change what comes out', async () => {
    const model = await opened('t5-default');
    const session = sessionOf(model);
    session.breakpoints.add({ site: (name) => name.includes('cross_attn') });
    for (let stop = await session.continue(); stop.reason === 'breakpoint'; stop = await session.continue())
      await stateOf(session);
    expect(newIds(session)).toEqual(await generated(model));
    await model.dispose();
  });
});

describe('a change while stopped', () => {
  it('counts from the layer that the run is in', async () => {
    const model = await opened('llama-grouped');
    const { variant } = await prepareExperiment(contextFor(model, promptOf(model), made), parseEdits('drop head 1.0'));
    const session = sessionOf(model);
    await session.goTo({ step: 0, at: 2, op: 3 });
    const before = await stateOf(session);
    await session.change(variant);
    expect(session.position).toEqual({ step: 0, at: 2, op: 3 });
    expect(await stateOf(session)).toBe(before);
    expect(await finish(session)).toEqual(await generated(model, variant));
    await model.dispose();
  });
});

it('positions are ordered by step, instance and operation', () => {
  expect(isBefore({ step: 0, at: 5, op: 9 }, { step: 1, at: 0, op: 0 })).toBe(true);
  expect(isBefore({ step: 1, at: 2, op: 3 }, { step: 1, at: 2, op: 3 })).toBe(false);
});
