import { describe, expect, it } from 'vitest';
import { pinsOf } from './pins.js';

const rows = ['embed', 'blocks.0', 'blocks.1', 'blocks.2'];

describe('pins', () => {
  it.each([
    ['drop head 1.3', [{ row: 2, position: undefined }]],
    ['scale blocks.2.attn.z[position=-1] by 0.5', [{ row: 3, position: 9 }]],
    ['set blocks.0.mlp_out[position=4] = zero', [{ row: 1, position: 4 }]],
    ['skip layer 0', [{ row: 1, position: undefined }]],
    [
      'swap layers 0 2',
      [
        { row: 1, position: undefined },
        { row: 3, position: undefined },
      ],
    ],
    ['temperature 0.7', []],
    ['drop head 9.0', []],
    ['no edit at all', []],
  ])('of %s', (text, pins) => {
    expect(pinsOf([text], rows, 10)).toEqual(pins);
  });
});
