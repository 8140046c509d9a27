import { describe, expect, it } from 'vitest';
import type { DebuggerError } from '../../base/index.js';
import { parseExpression, type SiteName } from '../../language/index.js';
import { float64 } from '../../tensor/index.js';
import { differentiate, evaluate, type ExpressionValues } from './index.js';

/** Scores that are multiples of 1/8, so that a step of 2^-10 is exact in float32. */
const scores: readonly (readonly number[])[] = [
  [0, 1, 2, 3],
  [2.5, -1, 0.5, 0.25],
  [0.125, 1.5, -0.75, 1],
];
const sites: Readonly<Record<string, readonly number[]>> = {
  a: [1, -2, 0.5, 3, 0.25, -1.5],
  b: [2, 1, -1, 0.5, 4, 1.25],
};
const ids = [1, 2, 1];
const shape = [1, 3, 2];
const step = 2 ** -10;

/** What is moved: one score, or one number of a site, by so much. */
interface Moved {
  readonly of: number | string;
  readonly at: number;
  readonly by: number;
}

const valuesWith = (moved?: Moved): ExpressionValues => {
  const near = (of: number | string, numbers: readonly number[]): number[] =>
    numbers.map((x, i) => (moved?.of === of && moved.at === i ? x + moved.by : x));
  return {
    site: (name) => {
      const numbers = sites[name];
      return (
        numbers && {
          tensor: float64(shape, Float64Array.from(near(name, numbers))),
          axes: ['batch', 'position', 'model'],
        }
      );
    },
    tokens: ids.map((id) => ({ id, text: `t${id}` })),
    logits: (position) => {
      const row = scores[position];
      return row && Float32Array.from(near(position, row));
    },
    encode: (text) => [{ id: Number(text.slice(1)), text }],
    step: 0,
  };
};

/** A number, or a tensor's only one. */
const numberAt = (text: string, values: ExpressionValues): number => {
  const value = evaluate(parseExpression(text), values);
  return typeof value === 'object' ? Number(value.data[0]) : Number(value);
};

const slopeBy = (text: string, of: number | string, at: number): number => {
  const value = (by: number): number => numberAt(text, valuesWith({ of, at, by }));
  return (value(step) - value(-step)) / (2 * step);
};

const derivatives = (text: string): { scores: number[][]; sites: Record<string, number[]> } => ({
  scores: scores.map((row, position) => row.map((_, i) => slopeBy(text, position, i))),
  sites: Object.fromEntries(
    Object.entries(sites).map(([name, numbers]) => [name, numbers.map((_, i) => slopeBy(text, name, i))]),
  ),
});

/** Central differences of second order with a step of 2^-10. */
const close = (given: Float64Array | undefined, expected: readonly number[], text: string): void =>
  expected.forEach((slope, i) => {
    expect(Math.abs((given?.[i] ?? 0) - slope), `${text} by number ${i}`).toBeLessThan(
      2e-5 * Math.max(1, Math.abs(slope)),
    );
  });

describe('derivatives of expressions', () => {
  it.each([
    'logit(2)',
    'logit("t2") at position 0',
    'prob(0)',
    'logprob(3) - 2 * logprob(0) at position 1',
    'logprob(2) / logprob(1)',
    'entropy',
    'loss',
    'entropy * loss + 3',
    '-a[position=1, model=0]',
    'a[position=1, model=0] / b[position=1, model=0]',
    'mean(a)',
    'sum(a[position=(0 2)] * b[position=1..2])',
    'norm(a)',
    'norm(a - b) * logit(1)',
    'std(b[model=1])',
    'max(a)',
    'min(b)',
    'absmax(-a)',
    'cosine(a, b)',
    'cosine(a[position=0], b[position=2])',
    'sum(2 / b) - sum(b * 3)',
    'sum(a * a[position=1, model=1])',
    'token + step + mean(a)',
    'sum(a[position=-1]) + sum(a)',
  ])('%s', (text) => {
    const found = differentiate(parseExpression(text), valuesWith());
    expect(found.value).toBe(numberAt(text, valuesWith()));
    const expected = derivatives(text);
    expected.scores.forEach((row, position) => close(found.scores.get(position), row, `${text} at ${position}`));
    for (const [name, row] of Object.entries(expected.sites)) close(found.sites.get(name as SiteName), row, text);
  });

  it('share what several largest numbers have, and are 0 where a length is', () => {
    const equal = { ...valuesWith(), site: () => ({ tensor: float64([2], Float64Array.of(3, 3)), axes: ['model'] }) };
    const slope = (text: string, values: ExpressionValues = equal) =>
      differentiate(parseExpression(text), values).sites.get('a' as SiteName);
    expect(slope('max(a)')).toEqual(Float64Array.of(0.5, 0.5));
    expect(slope('std(a)')).toEqual(Float64Array.of(0, 0));
    const none = { ...equal, site: () => ({ tensor: float64([2], new Float64Array(2)), axes: ['model'] }) };
    expect(slope('norm(a)', none)).toEqual(Float64Array.of(0, 0));
  });

  it.each([
    ['rank(2)', 'GRADIENT_UNDEFINED', 'column 1: rank has no gradient'],
    [
      '1 + lens_prob(2)',
      'GRADIENT_UNDEFINED',
      'column 5: lens_prob, which is no part of the computation, has no gradient',
    ],
    ['entropy < 1', 'GRADIENT_UNDEFINED', 'column 1: what is true or false has no gradient'],
    ['token == "t1"', 'GRADIENT_UNDEFINED', 'column 1: what is true or false has no gradient'],
    ['!entropy', 'GRADIENT_UNDEFINED', 'column 1: what is true or false has no gradient'],
    ['nan(a)', 'GRADIENT_UNDEFINED', 'column 1: nan, a count, has no gradient'],
    [
      'a',
      'EXPRESSION_INVALID',
      'column 1: one number is needed, and this is a tensor of shape [1, 3, 2] (batch, position, model)',
    ],
    ['logit(9)', 'ID_OUT_OF_RANGE', 'no token has id 9: the model scores 4'],
    ['norm(c)', 'SITE_NOT_CAPTURED', 'c was not kept in this run'],
  ])('%s has none', (text, code, message) => {
    const attempt = (): unknown => differentiate(parseExpression(text), valuesWith());
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(
      expect.objectContaining({ info: expect.objectContaining({ code }) as object }) as DebuggerError,
    );
  });

  it('needs a second token for a loss', () => {
    const one = { ...valuesWith(), tokens: [{ id: 1, text: 't1' }] };
    expect(() => differentiate(parseExpression('loss'), one)).toThrow('one token alone has no loss');
  });
});
