import { describe, expect, it } from 'vitest';
import { parseEdits } from '../../../language/index.js';
import { completions } from './complete.js';

const sites = ['embed', 'blocks.0.attn.z', 'blocks.1.attn.z', 'blocks.1.mlp_out'];

describe('completions', () => {
  it('are edits, every one', () => {
    const offered = completions('', sites);
    expect(offered.length).toBeGreaterThan(5);
    for (const text of offered) expect(parseEdits(text)).toHaveLength(1);
  });

  it('name the model’s sites where one is being written', () => {
    expect(completions('scale blocks.1', sites)).toEqual([
      'scale blocks.1.attn.z by 0.5',
      'scale blocks.1.mlp_out by 0.5',
    ]);
    expect(completions('add 2 * direction(" a" - " b") at emb', sites)).toEqual([
      'add 2 * direction(" a" - " b") at embed',
    ]);
  });

  it('are none where nothing begins so', () => {
    expect(completions('explode', sites)).toEqual([]);
  });
});
