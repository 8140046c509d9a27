import { describe, expect, it } from 'vitest';
import { askedOf, boardSide, curvePath, scaleOf } from './data.js';

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
