import { describe, expect, it } from 'vitest';
import type { Client } from '../../../client/index.js';
import { alignedTokens, cleanPositions, cleanText, corruptOf, corruptText, measuredOf, wordOf } from './pair.js';

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

describe('the corrupted prompt', () => {
  const asked: unknown[] = [];
  const client = {
    request: (_: string, params: unknown) => {
      asked.push(params);
      return Promise.resolve([{ text: '', tokens: [{ id: 8 }, { id: 9 }] }]);
    },
  } as unknown as Client;
  const { signal } = new AbortController();
  const corrupt = (input: object, text: string) =>
    corruptOf(client, { input: { model: 'm', ...input }, edits: [], sampling: [] }, { text, vocab: 10, signal });

  it('is given as the clean one is: as a text, or as ids', async () => {
    expect(await corrupt({ prompt: 'a' }, 'b')).toEqual({ corrupt: 'b' });
    expect(await corrupt({ ids: [1, 2] }, '1, 3')).toEqual({ corruptIds: [1, 3] });
    await expect(corrupt({ ids: [1, 2] }, '1 10')).rejects.toThrow('10 is no token id');
    await expect(corrupt({ ids: [1, 2] }, 'a')).rejects.toThrow('a is no token id');
  });

  it('of a chat has another last message, written by the template', async () => {
    const messages = [
      { role: 'system', content: 's' },
      { role: 'user', content: 'a' },
    ];
    expect(await corrupt({ messages }, 'b')).toEqual({ corruptIds: [8, 9] });
    expect(asked).toEqual([{ model: 'm', messages: [messages[0], { role: 'user', content: 'b' }] }]);
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
