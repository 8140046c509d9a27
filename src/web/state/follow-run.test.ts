import { describe, expect, it } from 'vitest';
import { placeOfFrame } from './follow-run.js';

const board = { rows: ['embed', 'blocks.0', 'blocks.1'], columns: 4, tokens: 4 };
const frame = (kind: 'op' | 'layer' | 'step' | 'generation', step: number) => ({
  kind,
  begins: { step, at: 1, op: 0 },
});

describe('the place of a frame on the board', () => {
  it('is its layer; of the prompt, which runs at once, any token', () => {
    expect(placeOfFrame(frame('op', 0), { ...board, place: 'blocks.1' })).toEqual({ after: 'blocks.1' });
  });

  it('is the newest token, as far as the board has it', () => {
    expect(placeOfFrame(frame('layer', 1), { ...board, place: 'blocks.0', tokens: 5, columns: 5 })).toEqual({
      ...{ after: 'blocks.0', position: 4 },
    });
    expect(placeOfFrame(frame('layer', 3), { ...board, place: 'blocks.0', tokens: 7 }).position).toBe(3);
  });

  it('has no layer where the frame has none, or the board does not show it', () => {
    expect(placeOfFrame(frame('step', 0), { ...board, place: 'blocks.1' })).toEqual({});
    expect(placeOfFrame(frame('op', 0), { ...board, place: 'encoder.blocks.1' })).toEqual({});
    expect(placeOfFrame(frame('op', 0), { ...board, place: undefined })).toEqual({});
  });
});
