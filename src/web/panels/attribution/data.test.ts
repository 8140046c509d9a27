import { describe, expect, it } from 'vitest';
import type { AttributeResult } from '../../../protocol/index.js';
import { askedOf, attributionBetween, boardSide, curvePath, scaleOf } from './data.js';

describe('what the panel asks', () => {
  const wanted = { method: 'lrp', of: 'next', versus: '', granularity: 'token' } as const;
  it('names a word only where it is the tracked one that is explained', () => {
    expect(askedOf(wanted, ' Haven')).toEqual({ method: 'lrp', granularity: 'token' });
    expect(askedOf({ ...wanted, of: 'word', versus: ' Corvo' }, ' Haven')).toMatchObject({
      word: ' Haven',
      versus: ' Corvo',
    });
    expect(askedOf({ ...wanted, of: 'each' }, ' Haven')).toMatchObject({ maxNewTokens: 6 });
  });
});

describe('what the panel draws', () => {
  const row = { of: 'logit(1)', value: 1 };
  it('scales by the largest score, of either sign', () => {
    expect(
      scaleOf([
        { ...row, scores: [1, -3, null] },
        { ...row, scores: [2] },
      ]),
    ).toBe(3);
    expect(scaleOf([{ ...row, scores: [0, null] }])).toBe(1);
  });

  it('follows the decoder where there is one', () => {
    expect(boardSide({ target: [] })).toBe('target');
    expect(boardSide({})).toBe('tokens');
  });

  it('makes a path of a curve', () => {
    expect(curvePath({ shares: [0, 1], values: [2, null] }, (s, v) => [10 * s, v])).toBe('M0.0 2.0L10.0 0.0');
  });
});

describe('scores of two texts', () => {
  const result = (texts: readonly string[], of: string, scores: readonly (number | null)[]): AttributeResult => ({
    model: { family: 'x', layers: 1, heads: 1, modelDim: 1, vocab: 9, parameters: 1, fingerprint: '' },
    ...{ method: 'lrp', settings: {}, normalize: 'none', tokens: [] },
    units: texts.map((text, i) => ({ text, side: 'tokens', positions: [i], special: false })),
    rows: [{ of, value: 1, residual: 0.5, scores: [...scores] }],
  });

  it('are compared by the units that both have, and name both numbers that they explain', () => {
    const between = attributionBetween(
      result(['a', 'x', 'b'], 'logit("p")', [1, 2, null]),
      result(['a', 'b'], 'logit("q")', [4, 5]),
    );
    expect(between.rows).toEqual([
      { of: 'logit("q") − logit("p")', token: undefined, position: undefined, value: 0, scores: [3, null, null] },
    ]);
  });
});
