import { describe, expect, it } from 'vitest';
import { lineOfPart, linesInSight, linesOf, lineToStop, partsOf, scrollToLine } from './listing-lines.js';

const lines = linesOf([
  'llama: 7 layers',
  'embed:',
  '  embed = Gather(w, ids)      [batch, position, model 128]',
  'for L in 0..2:    # decoder.blocks.{L}',
  '  ln1:',
  '    %1 = Mul(resid, resid)  [batch]',
  'decoder.blocks.3:',
  '  %1 = Add(x, y)',
]);

describe('the program', () => {
  it('stops where something gets a value', () => {
    expect(lines.map((line) => line.stops)).toEqual([false, false, true, false, false, true, false, true]);
    expect([1, 3, 4, 7, 9].map((line) => lineToStop(lines, line))).toEqual([3, 3, 6, 8, undefined]);
  });

  it.each([
    ['embed', 2],
    ['decoder.blocks.0', 4],
    ['decoder.blocks.2', 4],
    ['decoder.blocks.2#2', 4],
    ['decoder.blocks.3', 7],
    ['decoder.blocks.12', undefined],
    ['blocks.1', undefined],
  ])('has %s at line %s', (part, line) => expect(lineOfPart(lines, part)).toBe(line));

  it('tells code from shape', () => {
    expect(partsOf(lines[2]?.text ?? '')).toEqual({
      code: '  embed = Gather(w, ids)',
      shape: '[batch, position, model 128]',
    });
    expect(partsOf('  %1 = Slice(x, a=[0,1])')).toEqual({ code: '  %1 = Slice(x, a=[0,1])', shape: '' });
  });

  it('draws what is in sight of thousands of lines', () => {
    expect(linesInSight(5000, { top: 36000, height: 400, each: 18 })).toEqual({ from: 1992, to: 2031 });
    expect(linesInSight(10, { top: 0, height: 400, each: 18 })).toEqual({ from: 0, to: 10 });
    expect(linesInSight(3, { top: 900, height: 400, each: 18 })).toEqual({ from: 3, to: 3 });
  });

  it('scrolls only as far as it takes', () => {
    const at = { top: 180, height: 360, each: 18 };
    expect(scrollToLine(15, at)).toBe(180);
    expect(scrollToLine(100, at)).toBe(99 * 18 - 120);
    expect(scrollToLine(1, at)).toBe(0);
  });
});
