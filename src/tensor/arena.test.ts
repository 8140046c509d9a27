import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from './arena.js';

describe('Arena', () => {
  it('drops what was not used for longest', () => {
    const arena = new Arena<string>(30);
    for (const key of ['a', 'b', 'c']) arena.put(key, key, { bytes: 10 });
    arena.get('a');
    arena.put('d', 'd', { bytes: 15 });
    expect([arena.keys(), arena.bytes]).toEqual([['a', 'd'], 25]);
  });

  it('keeps what is pinned, and refuses what finds no room beside it', () => {
    const arena = new Arena<number>(30);
    arena.put('pinned', 1, { bytes: 20, pinned: true });
    arena.put('other', 2, { bytes: 10 });
    expect(arena.put('large', 3, { bytes: 11 })).toBe(false);
    expect(arena.keys()).toEqual(['pinned', 'other']);
    expect(arena.put('small', 4, { bytes: 9 })).toBe(true);
    expect(arena.keys()).toEqual(['pinned', 'small']);
  });

  it('replaces a value of the same key, pinned or not', () => {
    const arena = new Arena<number>(30);
    arena.put('a', 1, { bytes: 20, pinned: true });
    expect(arena.put('a', 2, { bytes: 25 })).toBe(true);
    expect([arena.get('a'), arena.bytes, arena.delete('a'), arena.bytes]).toEqual([2, 25, 25, 0]);
  });

  it('never holds more than its limit, and counts what it holds', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), bytes: fc.nat(40), get: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const arena = new Arena<number>(50);
        for (const { key, bytes, get } of steps) {
          if (get) arena.get(key);
          else arena.put(key, bytes, { bytes });
          expect(arena.bytes).toBeLessThanOrEqual(50);
          expect(arena.keys().reduce((sum, held) => sum + (arena.get(held) ?? 0), 0)).toBe(arena.bytes);
        }
      }),
    );
  });
});
