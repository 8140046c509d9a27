import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkSampling, isGreedy, sample, stages, type SamplingOptions } from './index.js';
import { pick } from './sampling.js';

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly logits: number[];
    readonly previousIds: number[];
    readonly options: SamplingOptions;
    readonly stages: readonly { readonly name: string; readonly logits: (number | null)[] }[];
  }[];
}
const source = readFileSync(new URL('../../../test/golden/sampling/golden.json', import.meta.url), 'utf8');
const golden = JSON.parse(source) as Golden;

describe('the rules of sampling are those of transformers, to the bit', () => {
  it.each(golden.cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
    const made = stages(Float32Array.from(c.logits), c.previousIds, checkSampling(c.options));
    const expected = c.stages.map((s) => ({
      name: s.name,
      logits: s.logits.map((x) => (x === null ? -Infinity : Math.fround(x))),
    }));
    expect(made.slice(1).map((s) => ({ name: s.name, logits: [...s.logits] }))).toEqual(expected);
  });
});

const logits = Float32Array.of(1, 3, 3, -2);
const place = { previousIds: [0], step: 1 };

describe('greedy', () => {
  it('takes the likeliest token, of equal ones the lowest id', () => {
    expect(sample(logits, {}, place)).toEqual({ id: 1, stages: [{ name: 'logits', setting: null, logits }] });
  });
  it('holds at temperature 0, whatever else is set', () => {
    expect(sample(logits, { temperature: 0, topP: 0.1, seed: 4 }, place).id).toBe(1);
  });
  it('heeds a repetition penalty', () => {
    const penalised = sample(logits, { repetitionPenalty: 2 }, { previousIds: [1, 2], step: 1 });
    expect(penalised.stages.map((s) => s.name)).toEqual(['logits', 'repetition-penalty']);
    expect(penalised.id).toBe(1);
    expect(sample(logits, { repetitionPenalty: 2 }, { previousIds: [1], step: 1 }).id).toBe(2);
  });
  it('takes no token that is suppressed, and shows what is left as a stage', () => {
    const { id, stages: shown } = sample(logits, { repetitionPenalty: 2 }, { ...place, suppressed: new Set([1, 2]) });
    expect(id).toBe(0);
    expect(shown.map((s) => s.name)).toEqual(['logits', 'suppressed', 'repetition-penalty']);
    expect(shown.map((s) => [...s.logits])).toEqual([
      [1, 3, 3, -2],
      [1, -Infinity, -Infinity, -2],
      [0.5, -Infinity, -Infinity, -2],
    ]);
    expect(sample(logits, {}, { ...place, suppressed: new Set() }).stages).toHaveLength(1);
  });
  it('is not what a seed or a top-k alone asks for', () => {
    expect([{ seed: 1 }, { topK: 2 }, { temperature: 1 }].map(isGreedy)).toEqual([false, false, false]);
    expect([{}, { repetitionPenalty: 1.2 }, { temperature: 0, seed: 1 }].map(isGreedy)).toEqual([true, true, true]);
  });
  it('skips NaN, and takes the first id of nothing but NaN', () => {
    expect(sample(Float32Array.of(NaN, -5, 2), {}, place).id).toBe(2);
    expect(sample(Float32Array.of(NaN, NaN), {}, place).id).toBe(0);
  });
});

describe('drawing', () => {
  it('never gives a suppressed token', () => {
    const flat = new Float32Array(4);
    const ids = Array.from({ length: 40 }, (_, step) =>
      sample(flat, { temperature: 1 }, { previousIds: [], step, suppressed: new Set([0, 3]) }),
    );
    expect([...new Set(ids.map((s) => s.id))].sort()).toEqual([1, 2]);
  });
  it('gives the same token for the same seed, sequence and step', () => {
    const wide = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i));
    const ids = [0, 1, 2, 3, 4, 5].map((step) => sample(wide, { seed: 7 }, { previousIds: [], step }).id);
    expect([0, 1, 2, 3, 4, 5].map((step) => sample(wide, { seed: 7 }, { previousIds: [], step }).id)).toEqual(ids);
    expect(new Set(ids).size).toBeGreaterThan(3);
    const others = [0, 1, 2, 3, 4, 5].map(
      (step) => sample(wide, { seed: 7 }, { previousIds: [], step, sequence: 1 }).id,
    );
    expect(others).not.toEqual(ids);
  });
  it('follows the probabilities', () => {
    const two = Float32Array.of(Math.log(0.25), Math.log(0.75));
    const ones = Array.from({ length: 4000 }, (_, step) => sample(two, { seed: 1 }, { previousIds: [], step }).id);
    const share = ones.reduce((a, b) => a + b, 0) / ones.length;
    expect(Math.abs(share - 0.75)).toBeLessThan(0.03); // 4 standard deviations
  });
  it('never takes what a rule removed, nor NaN', () => {
    const possible = Float32Array.of(NaN, -Infinity, 1, 0, -Infinity);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1 - 2 ** -53, noNaN: true }), (u) => [2, 3].includes(pick(possible, u))),
    );
  });
  it('puts a place into the cumulative distribution, ids in order', () => {
    const four = new Float32Array(4);
    expect([0, 0.2499, 0.25, 0.75, 0.9999].map((u) => pick(four, u))).toEqual([0, 0, 1, 3, 3]);
  });
});

describe('stages', () => {
  it('leave the logits that they are given alone', () => {
    const given = Float32Array.of(1, 2, 3);
    stages(given, [2], { repetitionPenalty: 2, temperature: 0.5, topK: 1, topP: 0.5, minP: 0.1 });
    expect([...given]).toEqual([1, 2, 3]);
  });
  it('are all shown, in order, with their settings', () => {
    const all = { minP: 0.1, topP: 0.9, topK: 2, temperature: 0.5, repetitionPenalty: 1.5, seed: 3 };
    expect(stages(logits, [0], all).map((s) => [s.name, s.setting])).toEqual([
      ['logits', null],
      ['repetition-penalty', 1.5],
      ['temperature', 0.5],
      ['top-k', 2],
      ['top-p', 0.9],
      ['min-p', 0.1],
    ]);
  });
  it('leave at least one token', () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
    const options = fc.record({
      temperature: fc.double({ min: 0.01, max: 10, noNaN: true }),
      topK: fc.nat({ max: 20 }),
      topP: fc.double({ min: 1e-9, max: 1, noNaN: true }),
      minP: fc.double({ min: 0, max: 1, noNaN: true }),
      repetitionPenalty: fc.double({ min: 0.01, max: 10, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 40 }), options, (values, o) => {
        const { id, stages: list } = sample(Float32Array.from(values), o, { previousIds: [0, 99], step: 0 });
        expect(id).toBeLessThan(values.length);
        expect(list.at(-1)?.logits[id]).not.toBe(-Infinity);
      }),
    );
  });
});

describe('logits near the end of float32', () => {
  it('stay possible where temperature or penalty would take them beyond it', () => {
    const options = { temperature: 0.01, topK: 0, topP: 1e-9, minP: 0, repetitionPenalty: 1.8 };
    const { id, stages: list } = sample(Float32Array.of(-1.8e36), options, { previousIds: [0], step: 0 });
    expect(list.at(-1)?.logits[id]).toBeGreaterThan(-Infinity);
  });
});

describe('options', () => {
  it.each<SamplingOptions>([
    { temperature: -0.1 },
    { temperature: NaN },
    { temperature: Infinity },
    { topK: -1 },
    { topK: 1.5 },
    { topP: 0 },
    { topP: 1.1 },
    { minP: -0.1 },
    { minP: 1.1 },
    { repetitionPenalty: 0 },
    { seed: -1 },
    { seed: 2 ** 53 },
  ])('%o is refused', (options) => {
    expect(() => checkSampling(options)).toThrow(
      expect.objectContaining({ info: expect.objectContaining({ code: 'OPTION_INVALID' }) as unknown }),
    );
  });
  it('at their ends are taken', () => {
    const ends = { temperature: 0, topK: 0, topP: 1, minP: 1, repetitionPenalty: 0.5, seed: 0 };
    expect(checkSampling(ends)).toBe(ends);
  });
});
