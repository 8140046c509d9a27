import { describe, expect, it } from 'vitest';
import { layoutOf } from './layout.js';
import { layerNumber, marginAt, marksOf, playheadOf } from './margins.js';

const rows = ['embed', 'blocks.0', 'blocks.1', 'blocks.2'];
/** Cells of 50 x 40, from 44 on. */
const layout = layoutOf({ rows: 4, columns: 5 }, { width: 294, height: 182 }, { zoom: 0, scroll: 0 });

describe('the margins of the board', () => {
  it('are the names of layers and tokens', () => {
    expect(layout).toMatchObject({ cellWidth: 50, cellHeight: 40 });
    expect(marginAt(layout, 20, 10)).toEqual({ row: 3 });
    expect(marginAt(layout, 20, 150)).toEqual({ row: 0 });
    expect(marginAt(layout, 100, 170)).toEqual({ position: 1 });
    expect(marginAt(layout, 100, 50)).toBeUndefined();
    expect(marginAt(layout, 20, 170)).toBeUndefined();
  });

  it('know which layer a row is', () => {
    expect(['embed', 'blocks.3', 'decoder.blocks.12', 'blocks.2#2'].map(layerNumber)).toEqual([undefined, 3, 12, 2]);
  });
});

describe('marks of breakpoints', () => {
  it('stand at layers, tokens and cells', () => {
    const points = [{ layer: 1 }, { token: 2 }, { layer: 0, token: 4 }, { line: 3 }, { layer: 9 }].map((p, i) => ({
      ...{ id: i + 1, on: true },
      ...p,
    }));
    expect(marksOf(points, layout, rows).map(({ x, y, point }) => [point.id, x, y])).toEqual([
      [1, 41, 60],
      [2, 169, 160],
      [3, 288, 86],
    ]);
  });
});

describe('the playhead', () => {
  const at = (place: string | undefined, step: number) => playheadOf({ place, step, promptLength: 4 }, layout, rows);

  it('spans the prompt, which runs at once', () => {
    expect(at('blocks.0', 0)).toEqual({ x: 44, y: 80, width: 250, height: 40 });
  });

  it('is a cell at later tokens, or stands at the end where the board ends', () => {
    expect(at('blocks.2', 1)).toEqual({ x: 244, y: 0, width: 50, height: 40 });
    expect(at('blocks.2', 9)).toEqual({ x: 291, y: 0, width: 3, height: 40 });
  });

  it('is a line above the last layer, and nowhere in an encoder that is not shown', () => {
    expect(at('head', 0)).toMatchObject({ y: 0, height: 0 });
    expect(at(undefined, 0)).toMatchObject({ y: 0, height: 0 });
    expect(at('encoder.blocks.1', 0)).toBeUndefined();
    expect(at('encoder.norm', 0)).toBeUndefined();
  });
});
