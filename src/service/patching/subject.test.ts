import { describe, expect, it } from 'vitest';
import { subjectOf } from './subject.js';

const read = (...texts: readonly string[]) => ({
  ids: texts.map((_, i) => i),
  tokens: texts.map((text) => ({ text })),
});

describe('subjectOf', () => {
  const wordPiece = read('[CLS]', 'the', 'capital', 'of', 'fra', '##nce', 'is', 'la', '##on', '[SEP]');

  it('finds a text whose tokenizer drops case, accents and spaces, and cuts words', () => {
    expect(subjectOf('France', wordPiece)).toEqual([4, 5]);
    expect(subjectOf('of France', wordPiece)).toEqual([3, 4, 5]);
    expect(subjectOf(' Läon', wordPiece)).toEqual([7, 8]);
  });

  it('prefers the text as it is written', () => {
    expect(subjectOf('Fox', read('The', ' Fox', ' and', ' a', ' fox'))).toEqual([1]);
  });

  it('refuses a text that is not there, or there twice', () => {
    expect(() => subjectOf('Italy', wordPiece)).toThrow('"Italy" does not stand in the prompt');
    expect(() => subjectOf('a', wordPiece)).toThrow('"a" stands in the prompt more than once');
  });
});
