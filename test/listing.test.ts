import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../src/base/index.js';
import { listingOf } from '../src/graph/index.js';
import { makeProgram } from '../src/models/index.js';
import { goldenFolder } from './support/golden.js';

const lines = (variant: string): readonly string[] => {
  const config = JSON.parse(readFileSync(path.join(goldenFolder, variant, 'config.json'), 'utf8')) as JsonObject;
  return listingOf(makeProgram(config, () => true)).map((line) => line.text);
};

describe('the listing', () => {
  it.each([
    ['llama-grouped', ['# blocks.{L}']],
    ['t5-default', ['# encoder.blocks.{L}', '# decoder.blocks.{L}']],
    ['bart-default', ['# encoder.blocks.{L}', '# decoder.blocks.{L}']],
    ['mixtral-default', ['# blocks.{L}']],
  ])('folds the equal layers of %s, stack by stack', (variant, loops) => {
    const found = lines(variant).filter((text) => text.startsWith('for L in'));
    expect(found.map((text) => text.replace(/^.*(?=#)/, ''))).toEqual(loops);
  });

  it('leaves a weight that all blocks share its own name, and only the layer open in the others', () => {
    const text = lines('t5-default').join('\n');
    expect(text).toContain('encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight');
    expect(text).toContain('encoder.block.{L}.layer.1.DenseReluDense.wi.weight');
    expect(lines('mixtral-default').join('\n')).toContain('layers.{L}.block_sparse_moe.experts.0.w1.weight');
  });
});
