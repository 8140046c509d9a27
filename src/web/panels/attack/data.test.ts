import { describe, expect, it } from 'vitest';
import { askedOf, attackedTokens, changedTexts } from './data.js';

const tokens = [
  { id: 0, text: '<bos>' },
  { id: 1, text: 'The' },
  { id: 2, text: ' soup' },
  { id: 3, text: '.' },
];
const text = 'The soup.';
const placed = [
  { ...{ id: 0, text: '<bos>' }, start: 0, end: 0 },
  { ...{ id: 1, text: 'The' }, start: 0, end: 3 },
  { ...{ id: 2, text: ' soup' }, start: 3, end: 8 },
  { ...{ id: 3, text: '.' }, start: 8, end: 9 },
];

describe('an attacked text', () => {
  it('tells what became of each token', () => {
    const final = [tokens[0], tokens[1], { id: 9, text: ' fish' }, tokens[3]].flatMap((t) => t ?? []);
    const swapped = attackedTokens({ tokens, kept: [0, 1, 2, 3], final });
    expect(swapped.map((t) => t.to?.id)).toEqual([0, 1, 9, 3]);
    expect(changedTexts(text, placed, swapped)[0]).toBe('The fish.');
  });

  it('leaves out what was taken away', () => {
    const reduced = attackedTokens({ tokens, kept: [0, 2], final: [tokens[0], tokens[2]].flatMap((t) => t ?? []) });
    expect(reduced.map((t) => t.to?.id)).toEqual([0, undefined, 2, undefined]);
    expect(changedTexts(text, placed, reduced)[0]).toBe('soup');
  });

  it('keeps the space before a word whose token has none', () => {
    const bare = placed.map((t) => (t.id === 2 ? { ...t, text: 'soup', start: 4 } : t));
    const final = [tokens[0], tokens[1], { id: 9, text: 'fish' }, tokens[3]].flatMap((t) => t ?? []);
    expect(changedTexts(text, bare, attackedTokens({ tokens, kept: [0, 1, 2, 3], final }))[0]).toBe('The fish.');
  });

  it('has no text where its tokens are not those of the prompt', () => {
    expect(changedTexts(text, placed.slice(1), attackedTokens({ tokens, kept: [], final: [] }))).toEqual([]);
  });
});

describe('what is asked', () => {
  const known = { likeliest: [{ id: 1, text: 'positive' }], isLabels: true };
  it('names a label by its number, and nothing of the other attack', () => {
    expect(askedOf({ toward: 'positive' }, known)).toEqual({ attack: 'hotflip', toward: 1 });
    expect(askedOf({ attack: 'input-reduction', toward: 'positive' }, known)).toEqual({ attack: 'input-reduction' });
  });
});
