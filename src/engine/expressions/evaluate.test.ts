import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DebuggerError } from '../../base/index.js';
import { parseExpression } from '../../language/index.js';
import { bool, float32, float64, int64From, type Tensor } from '../../tensor/index.js';
import { topTokens } from '../sampling/index.js';
import { evaluate, holds, type ExpressionValues } from './index.js';

type Wide = number | string;
interface Golden {
  readonly shape: readonly number[];
  readonly tensors: Readonly<Record<string, readonly Wide[]>>;
  readonly reductions: readonly { readonly text: string; readonly value: Wide }[];
  readonly cosine: number;
  readonly scores: readonly {
    readonly logits: readonly Wide[];
    readonly logprob: readonly number[];
    readonly prob: readonly number[];
    readonly rank: readonly number[];
    readonly entropy: number;
  }[];
}
const source = readFileSync(new URL('../../../test/golden/expressions/golden.json', import.meta.url), 'utf8');
const golden = JSON.parse(source) as Golden;

/** numpy writes `inf`. */
const wide = (x: Wide): number => (x === 'inf' ? Infinity : x === '-inf' ? -Infinity : Number(x));
const axes = ['batch', 'position', 'model'];
const words = [' the', ' cat', ' sat'];
const rows = [
  Float32Array.of(0, 1, 2, 3),
  Float32Array.of(5, -1, 5, 0),
  Float32Array.of(Math.log(1), Math.log(2), Math.log(4), Math.log(1)),
];

/** A sequence of three tokens of four; " the cat" is cut in two. */
const values = (
  sites: Readonly<Record<string, Tensor>> = {},
  more: Partial<ExpressionValues> = {},
): ExpressionValues => ({
  site: (name) => {
    const tensor = sites[name];
    return tensor && { tensor, axes: axes.slice(0, tensor.shape.length) };
  },
  tokens: [
    { id: 1, text: ' the' },
    { id: 2, text: ' cat' },
    { id: 1, text: ' the' },
  ],
  logits: (position) => rows[position],
  encode: (text) => words.flatMap((word, i) => (text.includes(word) ? [{ id: i + 1, text: word }] : [])),
  step: 0,
  ...more,
});
const given = (text: string, v = values()) => evaluate(parseExpression(text), v);

const near = (value: unknown, wanted: number, text: string): void => {
  if (!Number.isFinite(wanted)) expect(value, text).toBe(wanted);
  else expect(Math.abs(Number(value) - wanted), text).toBeLessThanOrEqual(1e-12 * Math.abs(wanted) + 1e-300);
};

describe('reductions are those of numpy', () => {
  const sites = Object.fromEntries(
    Object.entries(golden.tensors).map(([name, data]) => [name, float32(golden.shape, Float32Array.from(data, wide))]),
  );
  it.each(Object.keys(sites))('of %s', (name) => {
    const cases = golden.reductions.filter((r) => r.text.includes(`(${name}`));
    expect(cases).toHaveLength(32);
    // numpy sums in pairs: the last bits of a sum near 0 differ by those of its largest part.
    const scale = Math.max(...(golden.tensors[name] ?? []).map((x) => Math.abs(wide(x))).filter(Number.isFinite));
    for (const { text, value } of cases) {
      const [got, wanted] = [given(text, values(sites)), wide(value)];
      if (!Number.isFinite(wanted)) expect(got, text).toBe(wanted);
      else
        expect(Math.abs(Number(got) - wanted), text).toBeLessThanOrEqual(1e-14 * scale * 30 + 1e-13 * Math.abs(wanted));
    }
  });
  it('and so is the cosine', () => {
    near(given('cosine(plain, offset)', values(sites)), golden.cosine, 'cosine');
  });
});

describe('scores are those of numpy', () => {
  it.each(golden.scores.map((s, i) => [i, s] as const))('row %i', (_, scores) => {
    const logits = Float32Array.from(scores.logits, wide);
    const v = values({}, { logits: () => logits, lensLogits: () => logits });
    near(given('entropy', v), scores.entropy, 'entropy');
    for (let id = 0; id < logits.length; id++) {
      expect(given(`logit(${id})`, v)).toBe(logits[id]);
      near(given(`logprob(${id})`, v), scores.logprob[id] ?? NaN, `logprob ${id}`);
      near(given(`prob(${id})`, v), scores.prob[id] ?? NaN, `prob ${id}`);
      expect(given(`rank(${id}) == ${scores.rank[id] ?? NaN} && lens_rank(${id}) == rank(${id})`, v)).toBe(true);
    }
  });

  it('and the probabilities are those that run prints, to the bit', () => {
    const logits = Float32Array.of(1, NaN, 3, 3, -Infinity);
    for (const { id, probability } of topTokens(logits, 5))
      expect(given(`prob(${id})`, values({}, { logits: () => logits }))).toBe(probability);
  });
});

describe('tokens', () => {
  it('are scored at the last position, or where it is said', () => {
    expect(given('logit(2)')).toBe(Math.fround(Math.log(4)));
    expect(given('prob(" cat")')).toBeCloseTo(0.5, 6);
    expect(given('logit(" sat") at position 0')).toBe(3);
    expect(given('logit(" sat") at position -3')).toBe(3);
    expect(given('logit(0) at position " cat"')).toBe(5);
    expect(given('logit(3) at position " the"#1')).toBe(3);
    expect(given('rank(2) at position 1')).toBe(1);
    expect(given('rank(0) at position 1')).toBe(1);
    expect(given('rank(3) at position 1')).toBe(3);
  });

  it('of several pieces have a logprob where the sequence has them', () => {
    const [first, second] = [given('logprob(1) at position 1'), given('logprob(3)')];
    expect(given('logprob(" the sat") at position 1')).toBe(Number(first) + Number(second));
    const v = values(
      {},
      { sequenceLogprob: (ids, position) => (ids.join() === '1,2' && position === 2 ? -7 : undefined) },
    );
    expect(given('logprob(" the cat")', v)).toBe(-7);
  });

  it('are compared with token', () => {
    expect(given('token == " the" && token != " cat" && token == 1 && " cat" != token')).toBe(true);
  });

  it.each([
    ['prob(" the cat")', 'AMBIGUOUS_TOKEN', '" the cat" is 2 tokens: " the" " cat"'],
    ['logprob(" the cat")', 'AMBIGUOUS_TOKEN', '2 tokens'],
    ['token == " the cat"', 'AMBIGUOUS_TOKEN', '2 tokens'],
    ['prob("zzz")', 'EXPRESSION_INVALID', 'the tokenizer makes no token of "zzz"'],
    ['prob(4)', 'ID_OUT_OF_RANGE', 'no token has id 4'],
    ['rank(4)', 'ID_OUT_OF_RANGE', 'no token has id 4'],
    ['prob(1) at position 3', 'SELECTOR_INVALID', 'out of range'],
    ['prob(1) at position " the"', 'AMBIGUOUS_TOKEN', 'occurs 2 times'],
    ['lens_prob(1)', 'SITE_NOT_CAPTURED', 'if it ended here is not known'],
    ['layer', 'EXPRESSION_INVALID', 'column 1: there is no layer here'],
    ['max(missing)', 'SITE_NOT_CAPTURED', 'missing was not kept'],
  ])('%s is refused: %s', (text, code, message) => {
    expect(() => given(text)).toThrow(message);
    expect(() => given(text)).toThrow(
      expect.objectContaining({ info: expect.objectContaining({ code }) as unknown }) as Error,
    );
  });

  it('of several pieces get an offer', () => {
    const hint = 'Ask for the first, prob(" the"), or logprob(" the cat") of the sequence.';
    expect(() => given('1 < prob(" the cat")')).toThrow(
      expect.objectContaining({ info: expect.objectContaining({ hint }) as unknown }) as Error,
    );
  });

  it('need the scores of their position', () => {
    const v = values({}, { logits: (p) => (p === 2 ? rows[2] : undefined) });
    expect(given('prob(1) > 0', v)).toBe(true);
    expect(() => given('prob(1) at position 0', v)).toThrow('scores at position 0 were not kept');
  });
});

describe('words', () => {
  it('are numbers of the moment', () => {
    expect(given('step * 10 + layer', values({}, { step: 3, layer: 4 }))).toBe(34);
    expect(given('entropy')).toBeCloseTo((2 / 8) * Math.log(8) + 0.25 * Math.log(4) + 0.5 * Math.log(2), 6);
    const parts = [given('logprob(2) at position 0'), given('logprob(1) at position 1')].map(Number);
    expect(given('loss')).toBe(-((parts[0] ?? 0) + (parts[1] ?? 0)) / 2);
    expect(given('loss', values({}, { tokens: [{ id: 1, text: ' the' }] }))).toBeNaN();
    expect(() => given('token', values({}, { tokens: [] }))).toThrow('there is no token here');
    expect(() => given('entropy', values({}, { tokens: [] }))).toThrow('there is no token yet');
  });
});

describe('arithmetic and logic', () => {
  const a = float32([1, 2, 2], Float32Array.of(1, 2, 3, 4));
  const b = float32([1, 2, 2], Float32Array.of(10, 20, 30, NaN));
  const one = float32([1, 1, 1], Float32Array.of(7));
  const v = values({ a, b, one, flat: float32([4], Float32Array.of(1, 2, 3, 4)) }, { tokens: [] });

  it.each([
    ['1 + 2 * 3 - 4 / 8', 6.5],
    ['1 / 0', Infinity],
    ['-inf < 0', true],
    ['nan == nan', false],
    ['nan != nan', true],
    ['!(nan < 1) && !(nan >= 1)', true],
    ['!nan', false],
    ['3 && 0', false],
    ['0 || 2', true],
    ['(1 < 2) == (3 < 4)', true],
    ['one > 6', true],
    ['one[model=0] * 2 == 14', true],
    ['sum(a + a * 2)', 30],
    ['sum(one * a)', 70],
    ['sum(10 - a)', 30],
    ['sum(-a)', -10],
    ['nan(b) + nan(a)', 1],
    ['max(b)', NaN],
    ['max(b[position=0])', 20],
    ['a[position=1, model=-1] == 4', true],
    ['cosine(a, a * 3) > 0.999999999', true],
    ['cosine(a, a * 0)', NaN],
    ['norm(3 - 7)', 4],
    ['0 && max(missing)', false],
    ['1 || max(missing) > 2', true],
  ])('%s is %s', (text, wanted) => {
    expect(given(text, v)).toEqual(wanted);
  });

  it('gives tensors with their axes, a site itself without a copy', () => {
    expect(given('a', v)).toMatchObject({ shape: [1, 2, 2], axes });
    expect((given('a', v) as Tensor).data).toBe(a.data);
    expect(given('a[model=1] / 2', v)).toEqual({
      dtype: 'float64',
      shape: [1, 2, 1],
      data: Float64Array.of(1, 2),
      axes,
    });
  });

  it.each([
    ['a < 3', 'column 1: one number is needed, and this is a tensor of shape [1, 2, 2] (batch, position, model)'],
    ['!a', 'column 2: one number is needed'],
    ['a + flat', '`+` takes tensors of equal shape, and these are [1, 2, 2] (batch, position, model) and [4] (batch)'],
    ['cosine(a, 1)', '`cosine` takes tensors of equal shape'],
    ['a[head=1]', 'a has no axis head'],
    ['a[position=9]', 'out of range'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => given(text, v)).toThrow(message);
  });

  it('reads whole numbers, booleans and float64 as well', () => {
    const odd = {
      i: int64From([2], [3, -4]),
      t: bool([3], Uint8Array.of(1, 0, 1)),
      d: float64([1], Float64Array.of(0.1)),
    };
    expect(given('min(i) == -4 && sum(t) == 2 && d == 0.1', values(odd))).toBe(true);
  });
});

describe('positions', () => {
  const step = float32([1, 1, 2], Float32Array.of(5, 6));
  const v = values({ a: step, 'encoder.a': step }, { offset: 2, length: 9, sourceTokens: [{ id: 0, text: ' dog' }] });

  it('are absolute in a step', () => {
    expect(given('sum(a[position=-1]) + sum(a[position=2])', v)).toBe(22);
    expect(given('sum(encoder.a[position=" dog"])', v)).toBe(11);
  });

  it('that are not computed in this step choose nothing', () => {
    expect(given('sum(a[position=0]) + norm(a[position=5])', v)).toBe(0);
    expect(given('a[position=0, model=1] > -9 || a[position=5, model=1] < 9', v)).toBe(false);
    expect(given('max(a[position=0]) > -1 || mean(a[position=0]) < 1 || std(a[position=0]) == 0', v)).toBe(false);
  });
});

describe('conditions', () => {
  it('hold where they are true or not 0', () => {
    const v = values({ a: float32([2], Float32Array.of(1, 0)), b: float32([1], Float32Array.of(2)) });
    expect(['step', 'b', 'b > 1', 'nan(a)', 'sum(a)'].map((t) => holds(parseExpression(t), v))).toEqual([
      false,
      true,
      true,
      false,
      true,
    ]);
    expect(() => holds(parseExpression('a'), v)).toThrow(
      'column 1: one number is needed, and this is a tensor of shape [2] (batch)',
    );
  });
});

describe('limits', () => {
  const v = values({ a: float32([1, 10, 10], new Float32Array(100)) });
  const within = (text: string, limits: { read: number; made: number }) => () =>
    evaluate(parseExpression(text), v, limits);

  it('are counted before the work', () => {
    expect(within('sum(a)', { read: 100, made: 0 })).not.toThrow();
    expect(within('sum(a) + sum(a)', { read: 199, made: 0 })).toThrow(
      'reads at least 200 numbers, more than the limit of 199',
    );
    expect(within('a + 1', { read: 1000, made: 99 })).toThrow('copies at least 100 numbers');
    expect(within('a[position=1]', { read: 1000, made: 9 })).toThrow('copies at least 10 numbers');
    expect(within('a[position=0..4, model=3]', { read: 1000, made: 15 })).not.toThrow();
    expect(within('entropy', { read: 7, made: 0 })).toThrow('reads at least 8');
  });

  it('refuse a tree that is too large before it is walked', () => {
    const wideText = Array.from({ length: 500 }, () => '1').join('+');
    const half = parseExpression(wideText);
    expect(() => evaluate({ kind: 'binary', operator: '+', left: half, right: half }, v)).toThrow(
      'more than 1000 parts',
    );
  });
});

describe('any expression on any values', () => {
  const operand = fc.constantFrom(
    'a',
    'b',
    'a[position=-1]',
    'b[model=(0 2)]',
    'c',
    'missing',
    'prob(1)',
    'rank(" cat")',
  );
  const atom = fc.oneof(
    operand,
    fc.constantFrom('loss', 'entropy', 'token', 'step', 'layer', 'inf', 'nan', '2', '0.5'),
  );
  const text = fc
    .array(
      fc.tuple(
        fc.constantFrom('', 'max(', 'norm(', '-', '!', '('),
        atom,
        fc.constantFrom('+', '-', '*', '/', '<', '==', '&&', '||'),
      ),
      {
        minLength: 1,
        maxLength: 6,
      },
    )
    .map((parts) =>
      parts
        .map(([open, x, o], i) => `${open}${x}${open.endsWith('(') ? ')' : ''}${i < parts.length - 1 ? ` ${o} ` : ''}`)
        .join(''),
    );
  const tensor = fc
    .tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.float(), { minLength: 12, maxLength: 12 }),
    )
    .map(([p, m, data]) => float32([1, p, m], Float32Array.from(data.slice(0, p * m))));

  it('gives a value or an error with a code', () => {
    fc.assert(
      fc.property(text, tensor, tensor, (t, a, b) => {
        try {
          const value = given(t, values({ a, b, c: int64From([2], [1, 2]) }));
          if (typeof value === 'object') expect(value.data).toHaveLength(value.shape.reduce((x, y) => x * y, 1));
          else expect(['number', 'boolean']).toContain(typeof value);
        } catch (error) {
          if (!(error instanceof DebuggerError) || error.blame !== 'caller') throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});
