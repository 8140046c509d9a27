import { describe, expect, it } from 'vitest';
import { entropyOf, isBad, repeating } from '../../src/debugger/exceptions.js';
import { Debuggee, type OpenModel } from '../../src/service/index.js';
import { float32 } from '../../src/tensor/index.js';
import { made, opened, promptOf } from './models.js';

const debugging = async (model: OpenModel, ...filters: readonly string[]): Promise<Debuggee> => {
  const request = { prompt: promptOf(model), edits: [], maxNewTokens: made, ignoreEos: true };
  const debuggee = await Debuggee.start(model, request);
  const list = [];
  for (const filter of filters) list.push(await debuggee.exceptionFilter(filter));
  debuggee.session.exceptions = list;
  return debuggee;
};

/** Both matrices of an MLP so large that their product is beyond float32. */
const overflowing = [
  'weight model.layers.1.mlp.up_proj.weight *= 1e30',
  'weight model.layers.1.mlp.down_proj.weight *= 1e30',
].join('\n');

describe('an exception breakpoint', () => {
  it.each(['llama-grouped', 'gpt2-default', 't5-default'])('on numbers is quiet in a sound %s', async (variant) => {
    const model = await opened(variant);
    const debuggee = await debugging(model, 'nan', 'inf', 'overflow16');
    expect((await debuggee.session.continue()).reason).toBe('end');
    await model.dispose();
  });

  it('finds the operation in which infinity first arises, and the one that makes it NaN', async () => {
    const model = await opened('llama-grouped');
    const debuggee = await debugging(model, 'inf', 'nan');
    await debuggee.edit(overflowing);
    const inf = await debuggee.session.continue();
    expect(inf).toMatchObject({ reason: 'exception', filter: { kind: 'inf' }, position: { step: 0, at: 2 } });
    expect(inf.reason === 'exception' && inf.description).toMatch(
      /^infinity first arises in blocks\.1: mlp_out = Linear/,
    );
    const nan = await debuggee.session.continue();
    expect(nan).toMatchObject({ reason: 'exception', filter: { kind: 'nan' }, position: { step: 0, at: 3 } });
    const ops = debuggee.session.source.opsOf('blocks.2');
    expect(ops[nan.position.op]?.module).toBe('ln1');
    await model.dispose();
  });

  it('finds infinity that is NaN again before it leaves the layer, and both where both are asked for', async () => {
    const model = await opened('llama-grouped');
    const large = ['q', 'k'].map((site) => `scale blocks.1.attn.${site} by 1e30`).join('\n');
    for (const filters of [['inf'], ['nan', 'inf']]) {
      const debuggee = await debugging(model, ...filters);
      await debuggee.edit(large);
      const stop = await debuggee.session.continue();
      expect(stop).toMatchObject({ reason: 'exception', filter: { kind: 'inf' }, position: { step: 0, at: 2 } });
      if (filters.length === 1) continue;
      const nan = await debuggee.session.continue();
      expect(nan).toMatchObject({ reason: 'exception', filter: { kind: 'nan' }, position: { step: 0, at: 2 } });
      expect(nan.position.op).toBeGreaterThan(stop.position.op);
    }
    await model.dispose();
  });

  it('finds what float16 could not hold, also where the layer hands on nothing of it', async () => {
    const model = await opened('llama-grouped');
    const debuggee = await debugging(model, 'overflow16');
    await debuggee.edit('scale blocks.1.mlp.pre_linear by 1e7\nscale blocks.1.mlp.post by 1e-7');
    const stop = await debuggee.session.continue();
    expect(stop).toMatchObject({ reason: 'exception', filter: { kind: 'overflow16' }, position: { step: 0, at: 2 } });
    await model.dispose();
  });

  it('looks at the scores too', async () => {
    const model = await opened('llama-grouped');
    const debuggee = await debugging(model, 'inf');
    await debuggee.edit('weight lm_head.weight *= 1e38\nweight lm_head.weight *= 10');
    const stop = await debuggee.session.continue();
    expect(stop).toMatchObject({ reason: 'exception', position: { step: 0, at: 4 } });
    expect(stop.reason === 'exception' && stop.description).toMatch(/logits = Linear/);
    await model.dispose();
  });

  it('tells what float16 could not hold, and not the fill of masked scores', async () => {
    const model = await opened('llama-grouped');
    const debuggee = await debugging(model, 'overflow16');
    await debuggee.edit('weight model.layers.0.mlp.down_proj.weight *= 1e7');
    const stop = await debuggee.session.continue();
    expect(stop).toMatchObject({ reason: 'exception', position: { step: 0, at: 1 } });
    expect(stop.reason === 'exception' && stop.description).toContain('blocks.0: mlp_out = Linear');
    await model.dispose();
  });

  it('stops where one token is generated again and again, once', async () => {
    const model = await opened('llama-grouped');
    const debuggee = await debugging(model, 'repetition');
    await debuggee.edit([0, 1, 2, 3].map((step) => `force token 7 at step ${step}`).join('\n'));
    const stop = await debuggee.session.continue();
    expect(stop).toMatchObject({ reason: 'exception', position: { step: 3 } });
    expect((await debuggee.session.continue()).reason).toBe('end');
    await model.dispose();
  });

  it('stops where entropy falls below a bound, and where a token falls behind', async () => {
    const model = await opened('llama-grouped');
    const probe = await debugging(model);
    const seen: { entropy: number; rank: number }[] = [];
    for (let step = 0; step <= made; step++) {
      await probe.session.goTo({ step, at: 5, op: 0 });
      const [entropy, rank] = [await probe.evaluate('entropy'), await probe.evaluate('rank(7)')];
      seen.push({ entropy: Number(entropy), rank: Number(rank) });
    }
    const bound = [...seen.map((s) => s.entropy)].sort((a, b) => a - b)[2] ?? NaN;
    const collapses = seen.flatMap((s, i) =>
      s.entropy < bound && !(i > 0 && (seen[i - 1]?.entropy ?? 0) < bound) ? [i] : [],
    );
    const losses = seen.flatMap((s, i) => (i > 0 && s.rank > (seen[i - 1]?.rank ?? 0) ? [i] : []));
    const steps = async (filter: string): Promise<number[]> => {
      const { session } = await debugging(model, filter);
      const found: number[] = [];
      for (let stop = await session.continue(); stop.reason === 'exception'; stop = await session.continue())
        found.push(stop.position.step);
      return found;
    };
    expect(collapses.length).toBeGreaterThan(0);
    expect(await steps(`entropy ${bound}`)).toEqual(collapses);
    expect(losses.length).toBeGreaterThan(0);
    expect(await steps('lost 7')).toEqual(losses);
    await model.dispose();
  });

  it('is refused where it makes no sense', async () => {
    const model = await opened('llama-grouped');
    for (const text of ['', 'nothing', 'nan now', 'entropy much', 'entropy -1', 'lost 9999'])
      await expect(debugging(model, text), text).rejects.toThrow();
    await model.dispose();
  });
});

describe('what is tested', () => {
  it('repeats three times, a single token four times', () => {
    expect(repeating([1, 2, 7, 7, 7])).toBeUndefined();
    expect(repeating([1, 7, 7, 7, 7])).toBe(1);
    expect(repeating([9, 1, 2, 1, 2, 1, 2])).toBe(2);
    expect(repeating([1, 2, 3, 1, 2, 3, 1, 2, 4])).toBeUndefined();
  });

  it('is a number of a kind', () => {
    const data = (x: number) => float32([2], Float32Array.of(1, x));
    expect([NaN, Infinity, 1e6, 1].map((x) => isBad('nan', data(x)))).toEqual([true, false, false, false]);
    expect([NaN, -Infinity, 1e6, 1].map((x) => isBad('inf', data(x)))).toEqual([false, true, false, false]);
    expect([-3.4028234e38, 65504, 65505].map((x) => isBad('overflow16', data(x)))).toEqual([false, false, true]);
  });

  it('is entropy in nats', () => {
    expect(entropyOf(Float32Array.of(0, 0, 0, 0))).toBeCloseTo(Math.log(4), 12);
    expect(entropyOf(Float32Array.of(0, 1000))).toBe(0);
  });
});
