import { describe, expect, it } from 'vitest';
import { partsOfLayer } from './parts.js';

describe('partsOfLayer', () => {
  it.each([
    ['3', 'drop head 3.0', true],
    ['3', 'drop head 13.0', false],
    ['3', 'set blocks.3.mlp_out = zero', true],
    ['3', 'set blocks.3.mlp_out[position=2] = zero', false],
    ['3', 'scale blocks.3.attn.z[head=0] by 0.5', false],
    ['decoder.3', 'drop head decoder.cross.3.1', true],
    ['decoder.3', 'drop head encoder.3.1', false],
    ['decoder.3', 'set decoder.blocks.3.cross_attn_out = zero', true],
  ])('layer %s, %s: %s', (layer, text, expected) => {
    expect(partsOfLayer(layer, text)).toBe(expected);
  });
});
