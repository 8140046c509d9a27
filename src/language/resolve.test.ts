import { describe, expect, it } from 'vitest';
import { UsageError } from '../base/index.js';
import { parseSelector, resolveSelector, type SelectedValue } from './index.js';

const tokens = ['The', ' the', ' cat', ' the', ' Paris'].map((text) => ({ text }));
const pattern: SelectedValue = {
  name: 'blocks.0.attn.pattern',
  axes: ['batch', 'head', 'query', 'key'],
  shape: [1, 12, 5, 5],
  tokens,
};
const chosen = (selector: string, value: SelectedValue = pattern): Record<string, readonly number[]> =>
  Object.fromEntries(resolveSelector(parseSelector(`x[${selector}]`).where, value));

const failure = (selector: string, value: SelectedValue = pattern): UsageError => {
  try {
    chosen(selector, value);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('it was resolved');
};

describe('resolveSelector', () => {
  it('gives sorted indices of the axes that are named', () => {
    expect(chosen('head=-1, query=1..3, key=(4 -5 4)')).toEqual({ head: [11], query: [1, 2, 3], key: [0, 4] });
    expect(resolveSelector({}, pattern).size).toBe(0);
  });
  it('finds tokens by their text', () => {
    expect(chosen('query=" Paris", key=" the"#2')).toEqual({ query: [4], key: [3] });
    expect(chosen('key=" the"#last')).toEqual({ key: [3] });
  });
  it('finds source tokens in the text of the encoder', () => {
    const cross = {
      name: 'c',
      axes: ['query', 'source'],
      shape: [5, 2],
      tokens,
      sourceTokens: [{ text: 'a' }, { text: 'b' }],
    };
    expect(chosen('source="b", query=" cat"', cross)).toEqual({ source: [1], query: [2] });
  });
  it('takes a range to the end', () => {
    expect(chosen('head=10..-1')).toEqual({ head: [10, 11] });
  });

  it('counts positions absolutely where a step holds later ones only', () => {
    const step = { ...pattern, shape: [1, 12, 1, 7], offset: 6, length: 20 };
    expect(chosen('query=-1, key=-1', step)).toEqual({ query: [0], key: [6] });
    expect(chosen('query=6, key=6', step)).toEqual({ query: [0], key: [6] });
    expect(chosen('query=2', step)).toEqual({ query: [] });
    expect(chosen('query=" Paris", key=" Paris"', step)).toEqual({ query: [], key: [4] });
    expect(chosen('query=3..9', step)).toEqual({ query: [0] });
  });
  it('chooses nothing at positions that are not reached yet, within the length of the run', () => {
    expect(chosen('query=7', { ...pattern, length: 8 })).toEqual({ query: [] });
    expect(failure('query=8', { ...pattern, length: 8 }).info.code).toBe('SELECTOR_INVALID');
  });

  it.each([
    ['head=12', 'head=12 is out of range: the extent of axis head is 12'],
    ['head=-13', 'head=-13 is out of range'],
    ['head=0..12', 'head=12 is out of range'],
    ['head=(0 99)', 'head=99 is out of range'],
    ['query=0..4000000000', 'query=4000000000 is out of range'],
    ['head=3..1', 'the range head=3..1 is empty'],
    ['neuron=1', 'blocks.0.attn.pattern has no axis neuron'],
    ['head=" the"', "axis head cannot be chosen by a token's text"],
    ['query=" dog"', 'no token is " dog" on axis query'],
    ['query=" the"#3', '" the"#3 is not there'],
  ])('%s: %s', (selector, message) => {
    const error = failure(selector);
    expect(error.info.code).toBe('SELECTOR_INVALID');
    expect(error.message).toContain(message);
  });
  it('names the axes where one is unknown, and near tokens where one is not found', () => {
    expect(failure('neuron=1').info.hint).toBe('Its axes are batch (1), head (12), query (5), key (5).');
    expect(failure('query="Paris"').info.hint).toBe('Did you mean " Paris"?');
    expect(failure('query="x"', { ...pattern, tokens: [] }).info.hint).toContain('give a number');
  });
  it('refuses a text that occurs more than once, and says how to choose', () => {
    const error = failure('query=" the"');
    expect(error.info.code).toBe('AMBIGUOUS_TOKEN');
    expect(error.message).toBe('" the" occurs 2 times, at query 1, 3');
    expect(error.info.hint).toContain('" the"#2 the second');
  });
});
