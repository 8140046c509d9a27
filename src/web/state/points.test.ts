import { describe, expect, it } from 'vitest';
import { changedPoint, noSettings, pointAt, toggledPoint, withCaught, withPoint, withoutPoint } from './points.js';

describe('breakpoints of a session', () => {
  it('are set and taken away at the same place', () => {
    const set = toggledPoint(noSettings, { line: 12 });
    expect(set.points).toEqual([{ id: 1, on: true, line: 12 }]);
    expect(toggledPoint(set, { line: 12 }).points).toEqual([]);
  });

  it('tell a cell from its layer and its token', () => {
    const all = [{ layer: 3 }, { token: 4 }, { layer: 3, token: 4 }].reduce(withPoint, noSettings);
    expect(pointAt(all, { layer: 3, token: 4 })?.id).toBe(3);
    expect(pointAt(all, { layer: 3 })?.id).toBe(1);
    expect(pointAt(all, { layer: 4 })).toBeUndefined();
  });

  it('stand at a place whatever their condition is', () => {
    const set = changedPoint(withPoint(noSettings, { line: 2 }), 1, { condition: 'layer > 3' });
    expect(pointAt(set, { line: 2 })?.condition).toBe('layer > 3');
    expect(toggledPoint(set, { line: 2 }).points).toEqual([]);
  });

  it('lose a condition that is empty', () => {
    const set = changedPoint(withPoint(noSettings, { line: 2, condition: 'true' }), 1, { condition: '', hits: '5' });
    expect(set.points).toEqual([{ id: 1, on: true, line: 2, hits: '5' }]);
  });

  it('have numbers of their own', () => {
    const three = [{ line: 1 }, { line: 2 }, { line: 3 }].reduce(withPoint, noSettings);
    expect(withPoint(withoutPoint(three, 2), { line: 4 }).points.map((p) => p.id)).toEqual([1, 3, 4]);
  });
});

describe('exceptions', () => {
  it('take the place of those of their kind', () => {
    const set = withCaught(withCaught(noSettings, 'entropy', 'entropy 0.1'), 'nan', 'nan');
    expect(withCaught(set, 'entropy', 'entropy 0.5').caught).toEqual(['nan', 'entropy 0.5']);
    expect(withCaught(set, 'entropy', undefined).caught).toEqual(['nan']);
  });
});
