import { describe, expect, it } from 'vitest';
import { inFrame, levelAt, panned, seen, showing, whole, zoomed, type Frame } from './viewport.js';

const frame: Frame = { rows: 2048, columns: 2048, room: { width: 500, height: 400 }, most: 40 };

describe('a viewport', () => {
  it('shows all at first, and never less large', () => {
    expect(whole(frame)).toEqual({ scale: 400 / 2048, left: 0, top: 0 });
    expect(zoomed(frame, whole(frame), { by: 0.1, x: 0, y: 0 })).toEqual(whole(frame));
  });

  it('keeps what is under the pointer where it is', () => {
    const at = zoomed(frame, whole(frame), { by: 8, x: 200, y: 100 });
    const before = whole(frame);
    expect(at.left + 200 / at.scale).toBeCloseTo(before.left + 200 / before.scale, 6);
    expect(at.top + 100 / at.scale).toBeCloseTo(before.top + 100 / before.scale, 6);
    expect(zoomed(frame, at, { by: 0, x: 0, y: 0 })).toEqual(before);
  });

  it('goes no farther than its ends', () => {
    const near = { scale: 20, left: 0, top: 0 };
    expect(panned(frame, near, [-100, -100])).toEqual(near);
    const end = panned(frame, near, [1e9, 1e9]);
    expect([end.left, end.top]).toEqual([2048 - 25, 2048 - 20]);
    expect(inFrame(frame, { scale: 1e9, left: 0, top: 0 }).scale).toBe(40);
  });

  it('moves a cell into view, by as little as it takes', () => {
    const near = { scale: 20, left: 100, top: 100 };
    expect(showing(frame, near, { row: 105, column: 110 })).toEqual(near);
    expect(showing(frame, near, { row: 50, column: 125 })).toEqual({ scale: 20, left: 101, top: 50 });
    expect(seen(frame, near)).toEqual({ rows: [100, 120], columns: [100, 125] });
  });

  it.each([
    [1, 1, 0],
    [40, 2, 0],
    [0.5, 1, 1],
    [0.195, 1, 3],
    [0.195, 2, 2],
  ])('at %d pixels a cell, on a screen of density %d, shows level %i', (scale, density, level) => {
    expect(levelAt({ scale, left: 0, top: 0 }, density)).toBe(level);
  });
});
