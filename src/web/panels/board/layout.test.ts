import { describe, expect, it } from 'vitest';
import { layoutOf, placeAt, scrollRange, scrollTo, visibleColumns, xOf, yOf } from './layout.js';

const size = { width: 644, height: 322 };

describe('the board’s layout', () => {
  it('fills the width where the text is short, the embedding lowest', () => {
    const layout = layoutOf({ rows: 6, columns: 10 }, size, { zoom: 0, scroll: 0 });
    expect(layout.cellWidth).toBe(60);
    expect(yOf(layout, 0)).toBeGreaterThan(yOf(layout, 5));
    expect(scrollRange(layout)).toBe(0);
  });

  it('finds each cell under its own middle, scrolled or not', () => {
    for (const scroll of [0, 137]) {
      const layout = layoutOf({ rows: 6, columns: 40 }, size, { zoom: 30, scroll });
      for (const place of [
        { row: 0, position: 6 },
        { row: 5, position: 19 },
      ]) {
        const [x, y] = [xOf(layout, place.position) + 15, yOf(layout, place.row) + layout.cellHeight / 2];
        expect(placeAt(layout, x, y)).toEqual(place);
      }
    }
  });

  it('finds nothing beside the cells', () => {
    const layout = layoutOf({ rows: 6, columns: 4 }, size, { zoom: 0, scroll: 0 });
    expect(placeAt(layout, 10, 10)).toBeUndefined();
    expect(placeAt(layout, layout.left + 4 * layout.cellWidth + 1, 10)).toBeUndefined();
    expect(placeAt(layout, 100, layout.height - 2)).toBeUndefined();
  });

  it('shows only the columns that can be seen, and scrolls no farther than the end', () => {
    const layout = layoutOf({ rows: 33, columns: 2048 }, size, { zoom: 20, scroll: 1e9 });
    expect(layout.scroll).toBe(scrollRange(layout));
    expect(visibleColumns(layout)).toEqual([2018, 2048]);
  });

  it.each([0, 137, 700, 2047])('scrolls position %i into view, and no farther than needed', (position) => {
    for (const scroll of [0, 2000, 1e9]) {
      const layout = layoutOf({ rows: 33, columns: 2048 }, size, { zoom: 20, scroll });
      const moved = { ...layout, scroll: scrollTo(layout, position) };
      const [first, last] = visibleColumns(moved);
      expect(first).toBeLessThanOrEqual(position);
      expect(last).toBeGreaterThan(position);
      expect(scrollTo(moved, position)).toBe(moved.scroll);
    }
  });
});
