import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Breakpoint, DebugSession, Stop } from '../../src/debugger/index.js';
import { generate } from '../../src/engine/index.js';
import { Debuggee, type OpenModel } from '../../src/service/index.js';
import { made, opened, plainOf, promptOf } from './models.js';

const debugging = (model: OpenModel): Promise<Debuggee> =>
  Debuggee.start(model, { prompt: promptOf(model), edits: [], maxNewTokens: made, ignoreEos: true });

const spelled = ({ position: { step, at, op } }: Stop): string => `${step}.${at}.${op}`;

/** All stops until the end, and the bits of the last scores and the tokens that came out. */
const runOf = async ({ session }: Debuggee): Promise<{ readonly stops: readonly string[]; readonly out: string }> => {
  const stops: string[] = [];
  for (let stop = await session.continue(); stop.reason !== 'end'; stop = await session.continue())
    stops.push(spelled(stop));
  return { stops, out: `${session.ids.join()} ${[...(session.logits ?? [])].join()}` };
};

/** How often a segment's values are looked at in a second run. */
const countingLooks = (model: OpenModel): (() => number) => {
  const { compilations } = model;
  const get = compilations.get.bind(compilations);
  let looks = 0;
  compilations.get = (segment, form) => {
    if (form.values === 'all') looks++;
    return get(segment, form);
  };
  return () => looks;
};

const onSites = (debuggee: Debuggee, glob: RegExp, text: string): Omit<Breakpoint, 'id'> => ({
  site: (name) => glob.test(name),
  condition: debuggee.condition(text),
});

const scoresOf = async (model: OpenModel): Promise<Float32Array[]> => {
  const prompt = promptOf(model);
  const rows: Float32Array[] = [];
  const request = { variant: plainOf(model), ids: prompt.ids, maxNewTokens: made + 1, sampling: {} };
  for await (const step of generate(model, { ...request, eos: new Set() })) rows.push(step.logits);
  return rows;
};

const rankIn = (logits: Float32Array, id: number): number => 1 + logits.filter((x) => x > (logits[id] ?? 0)).length;

const cases: readonly (readonly [string, RegExp, string])[] = [
  ['llama-grouped', /^blocks\.\d\.resid_post$/, 'norm(blocks.1.resid_post[position=-1]) > 1'],
  ['llama-grouped', /^blocks\.\d\.attn\.pattern$/, 'layer == 2 && max(blocks.2.attn.pattern[query=-1]) < 0.9'],
  [
    'llama-grouped',
    /^blocks\.\d\.mlp_out$/,
    'max(blocks.0.attn.z) > mean(blocks.0.attn.q) || nan(blocks.0.resid_pre) > 0',
  ],
  ['gpt2-default', /^blocks\.1\.attn\.z$/, 'std(blocks.1.attn.hook_z[head=2]) > 0'],
  ['gpt2-default', /^blocks\.\d\.attn\.z$/, 'max(blocks.2.attn.k) > max(blocks.1.attn.k)'],
  ['t5-default', /cross_attn\.pattern$/, 'min(decoder.blocks.1.cross_attn.pattern) >= 0'],
];

describe('a condition inside the graph', () => {
  it.each(cases)('stops where it does outside: %s %s %s', async (variant, glob, text) => {
    const model = await opened(variant);
    const [outside, inside, plain] = [await debugging(model), await debugging(model), await debugging(model)];
    outside.session.breakpoints.add(onSites(outside, glob, text));
    inside.session.breakpoints.add({ ...onSites(inside, glob, text), lowered: inside.lowered(text) });
    const [wanted, got] = [await runOf(outside), await runOf(inside)];
    expect(wanted.stops.length).toBeGreaterThan(0);
    expect(got).toEqual(wanted);
    expect(got.out).toBe((await runOf(plain)).out);
    await model.dispose();
  });

  it('costs no second run where it does not hold, and changes no bit', async () => {
    const model = await opened('llama-grouped');
    const [debuggee, plain] = [await debugging(model), await debugging(model)];
    const looks = countingLooks(model);
    for (const layer of [0, 1, 2]) {
      const text = `max(blocks.${layer}.attn.pattern[query=-1]) > 2`;
      const point = onSites(debuggee, /attn\.pattern$/, text);
      debuggee.session.breakpoints.add({ ...point, layers: [layer], lowered: debuggee.lowered(text) });
    }
    const run = await runOf(debuggee);
    expect({ stops: run.stops, looks: looks() }).toEqual({ stops: [], looks: 0 });
    expect(run.out).toBe((await runOf(plain)).out);
    await model.dispose();
  });

  it('of which there are very many is asked outside, of values that are looked at once a step', async () => {
    const model = await opened('llama-grouped');
    const [debuggee, plain] = [await debugging(model), await debugging(model)];
    const looks = countingLooks(model);
    for (let i = 0; i < 2000; i++) {
      const text = `max(blocks.1.attn.pattern) > ${i + 2}`;
      debuggee.session.breakpoints.add({
        ...onSites(debuggee, /^blocks\.1\.resid_post$/, text),
        lowered: debuggee.lowered(text),
      });
    }
    const run = await runOf(debuggee);
    expect({ stops: run.stops, looks: looks() }).toEqual({ stops: [], looks: made + 1 });
    expect(run.out).toBe((await runOf(plain)).out);
    await model.dispose();
  });

  it('sees changes that are made while stopped', async () => {
    const model = await opened('llama-grouped');
    const debuggee = await debugging(model);
    const text = 'max(blocks.1.mlp_out) == 0';
    const point = onSites(debuggee, /^blocks\.1\.resid_post$/, text);
    debuggee.session.breakpoints.add({ ...point, lowered: debuggee.lowered(text) });
    await debuggee.session.stepForward('token');
    await debuggee.edit('set blocks.1.mlp_out = zero');
    const stop = await debuggee.session.continue();
    expect([stop.reason, stop.position.step, debuggee.session.instance?.name]).toEqual(['breakpoint', 1, 'blocks.1']);
    await model.dispose();
  });
});

describe('a data breakpoint', () => {
  it('stops where the rank of a token changes between steps', async () => {
    const model = await opened('llama-grouped');
    const ranks = (await scoresOf(model)).map((row) => rankIn(row, 5));
    const debuggee = await debugging(model);
    debuggee.session.breakpoints.add({ value: debuggee.watch('rank(5)') });
    const changes: unknown[] = [];
    for (let stop = await debuggee.session.continue(); stop.reason === 'data'; stop = await debuggee.session.continue())
      changes.push([stop.position.step, stop.before, stop.after]);
    const wanted = ranks.flatMap((rank, step) => {
      const before = ranks[step - 1];
      return before === undefined || before === rank ? [] : [[step, before, rank]];
    });
    expect(wanted.length).toBeGreaterThan(0);
    expect(changes).toEqual(wanted);
    await model.dispose();
  });

  it('stops where a statistic crosses a bound, also on the way back', async () => {
    const model = await opened('llama-grouped');
    const { session, ...rest } = await debugging(model);
    expect(rest.model).toBe(model);
    const values: number[] = [];
    const probe = await debugging(model);
    for (let step = 0; step <= made; step++) {
      await probe.session.goTo({ step, at: 3, op: 0 });
      values.push(Number(await probe.evaluate('norm(blocks.1.resid_post[position=-1])')));
    }
    const bound = [...values].sort((a, b) => a - b)[2] ?? NaN;
    const crossings = values.flatMap((v, i) => (i > 0 && v > bound !== (values[i - 1] ?? 0) > bound ? [i] : []));
    const debuggee = await debugging(model);
    const text = `norm(blocks.1.resid_post[position=-1]) > ${bound}`;
    debuggee.session.breakpoints.add({ value: debuggee.watch(text) });
    const steps: number[] = [];
    for (
      let stop = await debuggee.session.continue();
      stop.reason === 'data';
      stop = await debuggee.session.continue()
    ) {
      expect(debuggee.session.instance?.name).toBe('blocks.1');
      steps.push(stop.position.step);
    }
    expect(steps).toEqual(crossings);
    expect(crossings.length).toBeGreaterThan(0);
    expect((await debuggee.session.reverseContinue()).reason).toBe('data');
    expect(session.position.step).toBe(0);
    await model.dispose();
  });

  it('stops where an edited weight is read first', async () => {
    const model = await opened('llama-grouped');
    const debuggee = await debugging(model);
    const name = 'model.layers.1.mlp.up_proj.weight';
    debuggee.session.breakpoints.add({ value: debuggee.watch(`weight ${name}`) });
    await debuggee.session.goTo({ step: 0, at: 2, op: 0 });
    await debuggee.session.continue().then((stop) => expect(stop.reason).toBe('end'));
    await debuggee.session.goTo({ step: 1, at: 0, op: 0 });
    await debuggee.edit(`weight ${name} *= 0.5`);
    const stop = await debuggee.session.continue();
    expect(stop).toMatchObject({ reason: 'data', before: 'as in the file', position: { step: 1 } });
    expect(debuggee.session.instance?.name).toBe('blocks.1');
    expect(await debuggee.session.continue()).toMatchObject({ reason: 'end' });
    await model.dispose();
  });

  it('names what is not there', async () => {
    const model = await opened('llama-grouped');
    const debuggee = await debugging(model);
    expect(() => debuggee.watch('weight nowhere')).toThrow('no weight is called nowhere');
    expect(() => debuggee.watch('norm(blocks.9.resid_post)')).toThrow('blocks.9.resid_post');
    expect(() => debuggee.logText('x {1 +}', String)).toThrow();
    await model.dispose();
  });
});

const texts = [
  'norm(blocks.1.resid_post[position=-1]) > 5',
  'max(blocks.0.attn.pattern) > 0.5',
  'layer == 1 && min(blocks.1.mlp_out) < 0',
  'step == 2',
] as const;
const point = fc.record({
  kind: fc.constantFrom('break', 'log', 'watch', 'temporary'),
  text: fc.constantFrom(...texts),
  layer: fc.nat({ max: 2 }),
  hits: fc.nat({ max: 3 }),
});
const move = fc.constantFrom('op', 'module', 'layer', 'token', 'op back', 'layer back', 'token back', 'c', 'rc');

const add = (
  debuggee: Debuggee,
  { kind, text, layer, hits: least }: typeof point extends fc.Arbitrary<infer T> ? T : never,
) => {
  const hits = (met: number): boolean => met >= least;
  if (kind === 'watch') return debuggee.session.breakpoints.add({ value: debuggee.watch(text), hits });
  const told = kind === 'log' ? debuggee.logText(`{${text}}`, String) : undefined;
  return debuggee.session.breakpoints.add({
    ...{ layers: [layer], hits, temporary: kind === 'temporary' },
    ...{ condition: debuggee.condition(text), lowered: debuggee.lowered(text) },
    ...(told ? { log: () => told().then(() => undefined) } : {}),
  });
};

const go = (session: DebugSession, by: string): Promise<Stop> => {
  if (by === 'c') return session.continue();
  if (by === 'rc') return session.reverseContinue();
  const [grain, back] = by.split(' ') as ['op' | 'module' | 'layer' | 'token', string?];
  return back ? session.stepBack(grain) : session.stepForward(grain);
};

it('whatever is set, and wherever a run goes, the same bits come out', async () => {
  const model = await opened('llama-grouped');
  const { out } = await runOf(await debugging(model));
  await fc.assert(
    fc.asyncProperty(fc.array(point, { maxLength: 5 }), fc.array(move, { maxLength: 12 }), async (points, moves) => {
      const debuggee = await debugging(model);
      debuggee.session.exceptions = [{ kind: 'nan' }, { kind: 'repetition' }, { kind: 'entropy', below: 2 }];
      for (const each of points) add(debuggee, each);
      for (const by of moves) await go(debuggee.session, by);
      expect((await runOf(debuggee)).out).toBe(out);
    }),
    { numRuns: 25 },
  );
  await model.dispose();
});
