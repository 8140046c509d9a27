import { describe, expect, it } from 'vitest';
import { readIds, writeIds } from './ids.js';

describe('token ids in a text', () => {
  it.for([
    ['5 17 42', [5, 17, 42]],
    ['[5, 17,42]\n', [5, 17, 42]],
    ['', []],
    ['0', [0]],
  ] as const)('%j', ([text, ids]) => {
    expect(readIds(text, 61)).toEqual({ ids });
  });

  it.for([
    ['5 x7', { wrong: 'x7' }],
    ['-1', { wrong: '-1' }],
    ['1.5', { wrong: '1.5' }],
    ['99999999999', { wrong: '99999999999' }],
    ['5 61', { beyond: 61 }],
  ] as const)('%j is told of', ([text, told]) => {
    expect(readIds(text, 61)).toEqual(told);
  });

  it('does not know what is beyond a vocabulary that it does not know', () => {
    expect(readIds('70000', undefined)).toEqual({ ids: [70_000] });
  });

  it('is written as it is read', () => {
    expect(readIds(writeIds([3, 1, 2]), 10)).toEqual({ ids: [3, 1, 2] });
  });
});
