import { describe, expect, it } from 'vitest';
import { KeptAnswers } from './kept-answers.js';

describe('answers that took long', () => {
  it('are found by what was asked, and by nothing else', () => {
    const kept = new KeptAnswers();
    kept.put('patch', { prompt: 'a', corrupt: 'b' }, { runs: 3 });
    expect(kept.find('patch', { prompt: 'a', corrupt: 'b' })).toEqual({ runs: 3 });
    expect(kept.find('patch', { prompt: 'a', corrupt: 'c' })).toBeUndefined();
    expect(kept.find('circuit', { prompt: 'a', corrupt: 'b' })).toBeUndefined();
  });

  it('are of operations that take long alone', () => {
    const kept = new KeptAnswers();
    kept.put('compare', { prompt: 'a' }, { kl: 0 });
    expect(kept.find('compare', { prompt: 'a' })).toBeUndefined();
  });

  it('give way, the oldest first, when there are too many', () => {
    const kept = new KeptAnswers(100);
    const long = 'x'.repeat(40);
    for (const name of ['a', 'b', 'a', 'c']) kept.put('attack', { name }, long);
    expect(['a', 'b', 'c'].filter((name) => kept.find('attack', { name }) !== undefined)).toEqual(['c']);
    kept.put('attack', { name: 'd' }, 'x'.repeat(101));
    expect(kept.find('attack', { name: 'd' })).toBeUndefined();
  });
});
