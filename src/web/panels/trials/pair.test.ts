import { describe, expect, it } from 'vitest';
import { alignedTokens, cleanPositions, cleanText, corruptText, measuredOf, wordOf } from './pair.js';

const tokens = (text: string) => Array.from(text, (c) => ({ id: c.charCodeAt(0), text: c }));
const shown = (clean: string, corrupt: string): string =>
  alignedTokens(tokens(clean), tokens(corrupt))
    .map((a) => `${a.clean?.text ?? '.'}${a.corrupt?.text ?? '.'}`)
    .join(' ');

describe('two prompts in one row', () => {
  it('of one length stand place by place', () => {
    expect(shown('abc', 'axc')).toBe('aa bx cc');
  });

  it('of different length share beginning and end; what is between stands alone', () => {
    expect(shown('abcd', 'axyzd')).toBe('aa b. c. .x .y .z dd');
    expect(shown('ab', 'axb')).toBe('aa .x bb');
    expect(cleanPositions(tokens('abcd'), tokens('axyzd'))).toEqual([0, undefined, undefined, undefined, 3]);
  });
});

describe('the corrupted text', () => {
  const state = { model: '', prompt: 'one', name: '', edits: [] };
  it('begins with the clean one, or with that of a run beside', () => {
    expect(corruptText(state, {})).toBe('one');
    expect(corruptText({ ...state, beside: { prompt: 'two' } }, {})).toBe('two');
    expect(corruptText({ ...state, beside: { prompt: 'two' } }, { corrupt: '' })).toBe('');
  });

  it('of a chat is that of its last message, of ids these', () => {
    const chat = [
      { role: 'user', content: 'a' },
      { role: 'user', content: 'b' },
    ];
    expect([cleanText({ ...state, chat }), cleanText({ ...state, ids: [3, 4] })]).toEqual(['b', '3 4']);
  });
});

describe('what is measured', () => {
  const next = [{ id: 7, text: ' Nina' }];
  it('takes a word as the model has it', () => {
    expect([wordOf('Nina', next, false), wordOf(' Nina', next, false), wordOf('Nora', next, false)]).toEqual([
      ' Nina',
      ' Nina',
      'Nora',
    ]);
  });

  it('names labels by number', () => {
    const labels = [{ id: 1, text: 'good' }];
    expect([wordOf('good', labels, true), wordOf('0', labels, true)]).toEqual([1, 0]);
  });

  it('is an expression where one is written, and nothing where nothing is', () => {
    expect(measuredOf({ metric: 'entropy', answer: 'Nina' }, next, false)).toEqual({ metric: 'entropy' });
    expect(measuredOf({ answer: 'Nina' }, next, false)).toEqual({ answer: ' Nina' });
    expect(measuredOf({ wrong: '' }, next, false)).toEqual({});
  });
});
