import { describe, expect, it } from 'vitest';
import { parsePlace } from './point-place.js';

describe('where a breakpoint is', () => {
  it.each([
    ['42', { line: 42 }],
    ['layer 3', { layers: [3] }],
    ['token 2', { steps: [2] }],
    ['token " Paris"', { fed: '" Paris"' }],
    ["token:' Paris'", { fed: "' Paris'" }],
    ['blocks.*.attn.z', { sites: 'blocks.*.attn.z' }],
    ['blocks.1.attn.z, blocks.2.attn.z', { sites: 'blocks.1.attn.z, blocks.2.attn.z' }],
    ['42 layer 3..5', { line: 42, layers: [3, 4, 5] }],
    ['layers 1,4,6..7 42 token 1', { line: 42, layers: [1, 4, 6, 7], steps: [1] }],
    ['**.z layer 2 token " layer 3"', { sites: '**.z', layers: [2], fed: '" layer 3"' }],
    ['rank 1 before h.*', { sites: 'rank 1 before h.*' }],
    ['layers.3.mlp', { sites: 'layers.3.mlp' }],
  ])('%s', (text, place) => {
    expect(parsePlace(text)).toEqual(place);
  });

  it.each(['layer 3 layer 4', '42 43', '42 embed', 'token 2 token " x"', 'layer 5..3', 'layer 0..999999'])(
    'refuses %s',
    (text) => {
      expect(() => parsePlace(text)).toThrow(
        expect.objectContaining({ info: expect.objectContaining({ code: 'COMMAND_INVALID' }) as object }) as Error,
      );
    },
  );
});
