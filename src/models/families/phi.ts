import type { JsonObject } from '../../base/index.js';
import { add, gather, inner, site, weight, type Program, type Scope, type Value } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { parallelBlock } from '../parts/blocks.js';
import { ConfigReader } from '../config/config-reader.js';
import { decoderProgram, ropeRules, tokenTables, type TokenTables } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { layerNorm, layerNormalized, tokenTable, torchLinear, unembed } from '../parts/layers.js';
import { readSizes, type LlamaSizes } from '../layouts/llama-layout.js';
import { plainMlp } from '../parts/mlp.js';
import { partialRotary } from '../config/rope-config.js';
import { rotaryAttention, type RotaryAttention } from '../parts/rotary-attention.js';
import { blockSegment, embedSegment, headSegment, type BlockOutputs } from '../parts/segments.js';
import { integers } from '../parts/sequence.js';

/** Gunasekar et al. 2023, "Textbooks Are All You Need" (phi-1); Li et al. 2023 (phi-1.5); transformers `PhiForCausalLM`. */
interface PhiConfig extends LlamaSizes {
  /** Numbers of a head that are rotated. */
  readonly rotaryDim: number;
  readonly normedHeads: boolean;
}

const activationField = 'hidden_act';

const defaults = { activation: 'gelu_new', tied: false, maxPositions: 2048, eps: 1e-5, epsField: 'layer_norm_eps' };

const parseConfig = (json: JsonObject): PhiConfig => {
  const c = new ConfigReader(json);
  const sizes = readSizes(c, { activationField, ...defaults });
  const share = { field: 'partial_rotary_factor', headDim: sizes.headDim, fallback: 0.5 };
  const parsed = {
    ...sizes,
    rotaryDim: partialRotary(c, share),
    normedHeads: c.boolean('qk_layernorm', false),
  };
  c.finish();
  return parsed;
};

const headNorms = { q_norm: 'q_layernorm', k_norm: 'k_layernorm' };

const attention = (c: PhiConfig): RotaryAttention => ({
  ...c,
  bias: { qkv: true, out: true },
  outName: 'dense',
  ...(c.normedHeads ? { norm: (s, name, x) => layerNormalized(s, x, { name: headNorms[name], eps: c.eps }) } : {}),
  rotation: { dim: c.rotaryDim },
  mask: 'causal',
});

/** x + attn(ln1(x)) + mlp(ln1(x)): one norm for both. */
const block = (s: Scope, x: Value, c: PhiConfig): BlockOutputs =>
  parallelBlock(s, x, {
    ln1: (y) => layerNorm(inner(s, 'ln1', 'input_layernorm.'), y, c),
    attention: (y) => rotaryAttention(inner(s, 'attn', 'self_attn.'), y, attention(c)),
    mlp: (y) =>
      plainMlp(inner(s, 'mlp', 'mlp.'), y, {
        up: torchLinear('fc1', c.neurons, { axis: 'neuron', bias: true }),
        down: torchLinear('fc2', c.modelDim, { axis: 'model', bias: true }),
        act: activation(activationField, c.activation),
      }),
  });

const head = (s: Scope, x: Value, { c, tables }: { c: PhiConfig; tables: TokenTables }): Value => {
  const normed = layerNorm(inner(s, 'ln_final', 'final_layernorm.'), x, c); // [batch, position, model]
  const bias = weight({ ...s, weights: '' }, 'lm_head.bias', { shape: [c.vocab], axes: ['vocab'] }); // of a tied head too
  return add(unembed(normed, tokenTable(s, tables.unembedding, c)), bias); // [batch, position, vocab]
};

const names = (prefix: string): AliasNames => ({
  blocks: `${prefix}layers`,
  inBlock: {
    input_layernorm: 'ln1.normalized',
    self_attn: 'attn_out',
    'self_attn.dense': 'attn_out',
    mlp: 'mlp_out',
    'mlp.fc1': 'mlp.pre',
    'mlp.activation_fn': 'mlp.post',
    'mlp.fc2': 'mlp_out',
  },
  outside: {
    [`${prefix}embed_tokens`]: 'embed',
    [`${prefix}final_layernorm`]: 'ln_final.normalized',
    lm_head: 'logits',
  },
});

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseConfig(json);
  const prefix = has('final_layernorm.weight') ? '' : 'model.'; // a bare model saves its tensors without it
  const own = { embedding: `${prefix}embed_tokens.weight`, unembedding: 'lm_head.weight' };
  const tables = tokenTables(has, own, c.tiedHead);
  const { layers, modelDim, kvHeads, headDim } = c;
  const place = (layer: number) => ({ weights: `${prefix}layers.${layer}.`, modelDim, cache: { kvHeads, headDim } });
  const segments = [
    embedSegment('', (s) => site(s, 'embed', gather(tokenTable(s, tables.embedding, c), integers(s, 'ids')))),
    ...Array.from({ length: layers }, (_, layer) => blockSegment(layer, place(layer), (s, x) => block(s, x, c))),
    headSegment(modelDim, { weights: prefix }, (s, x) => head(s, x, { c, tables })),
  ];
  const dynamic = c.rope.scaling.kind === 'dynamic'; // reaches any length
  return decoderProgram({
    ...{ family: phi.name, config: json, segments, tables },
    sizes: { ...c, maxPositions: dynamic ? undefined : c.maxPositions },
    inputs: ropeRules({ dim: c.rotaryDim, ...c.rope }),
    names: names(prefix),
    normalized: 'normalized',
  });
};

export const phi: Family = {
  name: 'phi',
  architectures: ['PhiForCausalLM', 'PhiModel'],
  activationField,
  ignoredTensors: /rotary_emb\.inv_freq$|^lm_head\.weight$/,
  build,
};
