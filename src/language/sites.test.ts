import { describe, expect, it } from 'vitest';
import { formatSite, matches, parseGlobs, parseSiteName, toSitePath } from './index.js';

describe('a site name', () => {
  it.each([
    ['embed', { local: 'embed' }],
    ['blocks.3.attn.z', { layer: 3, local: 'attn.z' }],
    ['blocks.3#2.attn.z', { layer: 3, instance: 2, local: 'attn.z' }],
    ['decoder.blocks.0.resid_cross', { stack: 'decoder', layer: 0, local: 'resid_cross' }],
    ['encoder.embed', { stack: 'encoder', local: 'embed' }],
    ['transformer.h.0', { local: 'transformer.h.0' }],
    ['blocks.3', { layer: 3, local: '' }],
  ])('%s is taken apart and put together', (name, path) => {
    expect(toSitePath(parseSiteName(name))).toEqual(path);
    expect(formatSite(path as never)).toBe(name);
  });
  it.each(['', '.', 'a.', '.a', 'a b', '3.a', 'a#0', 'a#x', 'a#2#3', 'a-b', 'a'.repeat(501)])('%s is none', (text) => {
    expect(() => parseSiteName(text)).toThrow("is no site's name");
  });
});

const chosen = (glob: string, names: readonly string[]): string[] =>
  names.filter((name) => parseGlobs(glob).some((g) => matches(g, name)));

describe('globs', () => {
  const names = [
    'embed',
    'blocks.0.attn.z',
    'blocks.10.attn.z',
    'blocks.0.attn.pattern',
    'blocks.0.resid_pre',
    'blocks.3#2.attn.z',
  ];
  it.each([
    ['embed', ['embed']],
    ['*', ['embed']],
    ['**', names],
    ['blocks.*.attn.z', ['blocks.0.attn.z', 'blocks.10.attn.z', 'blocks.3#2.attn.z']],
    ['blocks.1*.**', ['blocks.10.attn.z']],
    ['**.pattern', ['blocks.0.attn.pattern']],
    ['blocks.**.attn.**.z', ['blocks.0.attn.z', 'blocks.10.attn.z', 'blocks.3#2.attn.z']],
    ['blocks.0.*', ['blocks.0.resid_pre']],
    ['blocks.0.*.*t*e*', ['blocks.0.attn.pattern']],
    ['embed, **.resid_*', ['embed', 'blocks.0.resid_pre']],
    ['embe', []],
    ['embed.**', ['embed']],
  ])('%s chooses %j', (glob, expected) => {
    expect(chosen(glob, names)).toEqual(expected);
  });
  it('are separated by commas outside of brackets and quotes', () => {
    const globs = parseGlobs('**.pattern[head=(1, 2), query="a],b"], embed');
    expect(globs.map((g) => g.text)).toEqual(['**.pattern', 'embed']);
    expect(globs[0]?.where).toEqual({ head: [1, 2], query: { token: 'a],b' } });
  });
  it.each([
    ['', 'column 1'],
    ['embed,', 'column 7'],
    ['embed,,logits', 'column 7'],
    ['a..b', 'column 1'],
    ['embed logits', 'column 7'],
    ['[head=1]', 'column 1'],
  ])('%j is refused at %s', (text, place) => {
    expect(() => parseGlobs(text)).toThrow(place);
  });
  it('take no time that grows faster than pattern times name', () => {
    const stars = parseGlobs(`${'*a'.repeat(100)}*.${'**.b.'.repeat(50)}c`)[0];
    const name = `${'a'.repeat(400)}.${'b.'.repeat(100)}d`;
    expect(stars && matches(stars, name)).toBe(false); // a backtracking expression would not come back
  });
});
