import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../base/index.js';
import { makeProgram } from '../families.js';

const phi = {
  model_type: 'phi',
  vocab_size: 11,
  hidden_size: 16,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
};

const weightsOf = (config: JsonObject, files: readonly string[] = []): readonly string[] => [
  ...new Set(makeProgram(config, (n) => files.includes(n)).segments.flatMap((s) => s.graph.params.map((p) => p.name))),
];

const sitesOf = (config: JsonObject): readonly string[] =>
  makeProgram(config, () => false).segments.flatMap((s) => s.graph.sites.map((site) => site.name));

describe('phi', () => {
  it('has the bias of the head where the matrix is tied', () => {
    const names = weightsOf({ ...phi, tie_word_embeddings: true });
    expect(names).toContain('lm_head.bias');
    expect(names).not.toContain('lm_head.weight');
  });

  it('of a bare model has names without a prefix, apart from the head', () => {
    const names = weightsOf(phi, ['final_layernorm.weight']);
    expect(names.filter((n) => n.startsWith('model.'))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['final_layernorm.bias', 'layers.1.self_attn.dense.bias']));
  });

  it('has one norm in a block and no stream between attention and MLP', () => {
    const sites = sitesOf(phi);
    expect(sites).toContain('blocks.1.ln1.normalized');
    expect(sites.filter((name) => /\.ln2\.|resid_mid/.test(name))).toEqual([]);
  });

  it('names normed queries and keys only where qk_layernorm is true', () => {
    expect(sitesOf(phi)).not.toContain('blocks.0.attn.q_normed');
    expect(sitesOf({ ...phi, qk_layernorm: true })).toContain('blocks.0.attn.k_normed');
  });

  it('rotates half of each head where the config does not say how much, in both spellings', () => {
    const dimOf = (config: JsonObject): unknown => {
      const rule = makeProgram(config, () => false).inputs['rope.cos'];
      return rule?.rule === 'rope' ? rule.rope.dim : undefined;
    };
    expect(dimOf(phi)).toBe(4);
    expect(dimOf({ ...phi, partial_rotary_factor: 0.25 })).toBe(2);
    expect(dimOf({ ...phi, rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.75 } })).toBe(6);
  });

  it('refuses a share of the head that is no even number', () => {
    expect(() => makeProgram({ ...phi, partial_rotary_factor: 0.4 }, () => false)).toThrow(
      expect.objectContaining({ info: expect.objectContaining({ code: 'CONFIG_INVALID' }) as unknown }),
    );
  });
});
