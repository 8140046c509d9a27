import { describe, expect, it } from 'vitest';
import { tilesSeen, wholeTile } from './tiles.js';

const frame = { rows: 2048, columns: 2048, room: { width: 512, height: 512 }, most: 40 };

describe('tiles', () => {
  it('of all that is seen from afar are one, of a level with a pixel for each of the screen', () => {
    expect(tilesSeen(frame, { scale: 0.25, left: 0, top: 0 }, 1)).toEqual([
      { level: 2, row: 0, column: 0 },
      { level: 2, row: 0, column: 1 },
      { level: 2, row: 1, column: 0 },
      { level: 2, row: 1, column: 1 },
    ]);
    expect(wholeTile(frame)).toEqual({ level: 3, row: 0, column: 0 });
  });

  it('near are those under the viewport alone', () => {
    expect(tilesSeen(frame, { scale: 16, left: 250, top: 900 }, 1)).toEqual([
      { level: 0, row: 3, column: 0 },
      { level: 0, row: 3, column: 1 },
    ]);
  });

  it('of a small matrix are one', () => {
    const small = { ...frame, rows: 16, columns: 16 };
    expect(tilesSeen(small, { scale: 32, left: 0, top: 0 }, 2)).toEqual([{ level: 0, row: 0, column: 0 }]);
    expect(wholeTile(small)).toEqual({ level: 0, row: 0, column: 0 });
  });
});
