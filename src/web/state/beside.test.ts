import { describe, expect, it } from 'vitest';
import type { ExperimentState } from '../../protocol/index.js';
import { besideOf, changeOn, ownAspects, stateOf, swapped } from './beside.js';
import { requestOf } from './request.js';
import type { SessionStore } from './session.js';
import { turned, turnedRequest, versusFields } from './turned.js';

const edit = (text: string) => ({ text, on: true });
const state: ExperimentState = { model: 'm', prompt: 'one', target: 't', name: 'n', edits: [edit('skip layer 1')] };

describe('a run beside', () => {
  it('has what is its own, and the rest of the first', () => {
    const both = { ...state, beside: { prompt: 'two' } };
    expect(ownAspects(both.beside)).toEqual(['prompt']);
    expect(besideOf(both)).toEqual({ model: 'm', prompt: 'two', name: 'n', edits: [edit('skip layer 1')] });
  });

  it('has a prompt of its own as a whole: no ids or target of the first', () => {
    const both = { ...state, ids: [1, 2], beside: { prompt: 'two' } };
    expect(besideOf(both)).not.toHaveProperty('ids');
    expect(besideOf({ ...state, beside: { ids: [3] } })).toMatchObject({ ids: [3], prompt: '' });
  });

  it('is what is looked at and changed on its side, in what it has of its own', () => {
    const both = { ...state, beside: { edits: [], name: '' } };
    expect(stateOf(both, 'b').edits).toEqual([]);
    expect(stateOf(both, 'difference').edits).toEqual(state.edits);
    expect(changeOn(both, 'b', { edits: [edit('skip layer 2')] })).toEqual({
      beside: { edits: [edit('skip layer 2')], name: '' },
    });
    expect(changeOn(both, 'b', { prompt: 'shared' })).toEqual({ prompt: 'shared' });
    expect(changeOn(both, 'a', { edits: [] })).toEqual({ edits: [] });
  });

  it('loses a field that is taken away there, and nothing else', () => {
    const both = { ...state, beside: { prompt: 'two', target: 'x' } };
    expect(changeOn(both, 'b', { target: null })).toEqual({ beside: { prompt: 'two' } });
  });

  it('changes places with the first, and back again', () => {
    const both = { ...state, beside: { prompt: 'two', edits: [], name: 'b' } };
    const once = swapped(both);
    expect(once).toMatchObject({ prompt: 'two', edits: [], name: 'b', target: null });
    expect(once.beside).toEqual({ prompt: 'one', target: 't', edits: state.edits, name: 'n' });
    const then = { model: 'm', prompt: 'two', edits: [], name: 'b', beside: once.beside } as ExperimentState;
    expect(swapped(then)).toMatchObject({ prompt: 'one', target: 't', edits: state.edits, beside: both.beside });
  });
});

describe('a request of two runs', () => {
  const request = requestOf({ state: { ...state, beside: { model: 'other', edits: [] } } } as unknown as SessionStore);

  it('asks for the other by all that it is', () => {
    expect(versusFields(request?.other)).toEqual({
      versus: [],
      other: { model: 'other', prompt: 'one', target: 't' },
    });
    expect(versusFields(undefined)).toEqual({ versus: [] });
  });

  it('is the same from the other side', () => {
    const other = request && turnedRequest(request);
    expect(other?.input.model).toBe('other');
    expect(other?.other?.edits).toEqual(['skip layer 1']);
    expect(other?.key).not.toBe(request?.key);
  });

  it('keeps edits of sampling apart: they change no score', () => {
    const edits = [edit('temperature 0.5'), edit('skip layer 1'), { text: 'skip layer 2', on: false }];
    const found = requestOf({ state: { ...state, edits } } as unknown as SessionStore);
    expect([found?.edits, found?.sampling]).toEqual([['skip layer 1'], ['temperature 0.5']]);
  });

  it.each([
    ['ids', { ids: [1, 2] }, { ids: [1, 2] }],
    ['a chat', { chat: [{ role: 'user', content: 'x' }] }, { messages: [{ role: 'user', content: 'x' }] }],
  ])('gives %s in the place of the text', (_, over, expected) => {
    const found = requestOf({ state: { ...state, ...over } } as unknown as SessionStore);
    expect(found?.input).toMatchObject(expected);
    expect(found?.input).not.toHaveProperty('prompt');
  });

  it('is none where there is nothing to read', () => {
    expect(requestOf({ state: { ...state, ids: [] } } as unknown as SessionStore)).toBeUndefined();
    expect(requestOf({ state: { ...state, prompt: '' } } as unknown as SessionStore)).toBeUndefined();
  });
});

it('a comparison from the other side answers where the other answers', () => {
  const run = (length: number, masks?: { position: number; next: never[] }[]) => ({
    tokens: Array.from({ length }, (_, id) => ({ id, text: '' })),
    ...{ next: [], words: [], best: [], surprise: [], entropy: [], notes: [], ...(masks ? { masks } : {}) },
  });
  const model = { vocab: 1 } as never;
  const result = { model, before: run(3), after: run(5), position: 4, kl: [], changed: [], seconds: 0, reused: 0 };
  expect(turned(result).position).toBe(2);
  expect(turned({ ...result, before: run(9, [{ position: 6, next: [] }]) }).position).toBe(6);
  expect(turned(result).after).toBe(result.before);
});
