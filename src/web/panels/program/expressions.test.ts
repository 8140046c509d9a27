import { describe, expect, it } from 'vitest';
import { mistakeOf, offersAt, withOffer } from './expressions.js';

const sites = [{ name: 'blocks.0.attn.pattern', axes: ['batch', 'head', 'query', 'key'] }];

describe('mistakes', () => {
  it.each([
    ['condition', 'norm(blocks.2.resid_post) >', /column/],
    ['condition', 'layer > 3', undefined],
    ['expression', 'weight model.norm.weight', undefined],
    ['expression', 'prob(', /column/],
    ['log', 'norm {norm(} here', /column/],
    ['log', 'no expression at all', undefined],
    ['hits', '>= 3', undefined],
    ['hits', 'often', /5/],
    ['condition', '  ', undefined],
  ] as const)('of the %s %j', (kind, text, wanted) => {
    const mistake = mistakeOf(kind, text);
    if (wanted === undefined) expect(mistake).toBeUndefined();
    else expect(mistake).toMatch(wanted);
  });
});

describe('completion', () => {
  it('offers sites and functions, and puts one in', () => {
    const at = { text: 'norm(blo) > 3', cursor: 8 };
    const [offer] = offersAt('expression', at, sites);
    expect(offer?.text).toBe('blocks.0.attn.pattern');
    expect(offer && withOffer(at, offer)).toEqual({ text: 'norm(blocks.0.attn.pattern) > 3', cursor: 26 });
  });

  it('is there within the braces of a log text alone', () => {
    const text = 'norm is {nor} nor';
    expect(offersAt('log', { text, cursor: 12 }, sites).map((o) => o.text)).toContain('norm(');
    expect(offersAt('log', { text, cursor: 17 }, sites)).toEqual([]);
    expect(offersAt('sites', { text: 'blo', cursor: 3 }, sites)).toEqual([]);
  });
});
