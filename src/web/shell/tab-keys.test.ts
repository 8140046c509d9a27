import { describe, expect, it } from 'vitest';
import { tabAfter } from './tab-keys.js';

const tab = (id: string) => ({ id, title: id });
const rows = [{ tabs: ['a', 'b', 'c'].map(tab) }, { tabs: ['d'].map(tab) }, { tabs: ['e', 'f'].map(tab) }];
const after = (open: string, key: string) => tabAfter({ rows, open }, key)?.id;

describe('a key in the tabs', () => {
  it('goes along all rows, and round', () => {
    expect(after('c', 'ArrowRight')).toBe('d');
    expect(after('f', 'ArrowRight')).toBe('a');
    expect(after('a', 'ArrowLeft')).toBe('f');
  });

  it('goes from row to row, and stays where there is none', () => {
    expect(after('c', 'ArrowDown')).toBe('d');
    expect(after('f', 'ArrowUp')).toBe('d');
    expect(after('a', 'ArrowUp')).toBeUndefined();
    expect(after('f', 'ArrowDown')).toBeUndefined();
  });

  it('goes to the ends', () => {
    expect([after('d', 'Home'), after('a', 'End')]).toEqual(['a', 'f']);
  });

  it('does nothing where it is no arrow', () => {
    expect(after('a', 'x')).toBeUndefined();
  });
});
