import type { JsonObject } from '../../base/index.js';
import {
  add,
  gather,
  inner,
  mul,
  site,
  weight,
  type EncoderFacts,
  type InputRule,
  type Program,
  type Scope,
  type Segment,
  type Stack,
  type Value,
} from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import { activationField, type BartSizes } from '../config/bart-config.js';
import { bartNames } from './bart-names.js';
import type { BartTables } from './bart-tables.js';
import { encoderDecoderProgram } from './encoder-decoder.js';
import type { HasTensor } from '../family.js';
import { layerNorm, tokenTable, torchLinear, unembed } from '../parts/layers.js';
import { plainMlp } from '../parts/mlp.js';
import {
  blockSegment,
  crossSegment,
  embedSegment,
  encodedSegment,
  headSegment,
  type BlockOutputs,
} from '../parts/segments.js';
import { integers } from '../parts/sequence.js';
import {
  crossAttention,
  crossRows,
  decoderAttention,
  encoderAttention,
  type StackAttention,
} from '../parts/stack-attention.js';
import type { BlockParts } from '../parts/blocks.js';

/** PyTorch's own; no field of a config says otherwise. */
const eps = 1e-5;

/** A family's own parts of a model whose file is laid out as BART's. */
export interface BartLayout {
  readonly family: string;
  readonly config: JsonObject;
  readonly has: HasTensor;
  readonly sizes: BartSizes;
  /** `model.`, or nothing in a file saved from the bare model. */
  readonly prefix: string;
  readonly tables: BartTables;
  readonly block: (s: Scope, x: Value, parts: BlockParts) => BlockOutputs;
  /** What stands for the places of the tokens. [batch or 1, position, model] */
  readonly positions: (s: Scope) => Value;
  /** Whether the module of the embedding gives it scaled, in Hugging Face. */
  readonly scalingModule: boolean;
  /** From the sum of words and places to the stream. */
  readonly embedded: (s: Scope, x: Value) => Value;
  /** From the stream after the last block to what is read. */
  readonly ended: (s: Scope, x: Value) => Value;
  readonly inputs: Readonly<Record<string, InputRule>>;
}

/** The layer norm of this family, by the name of our site and of the file's module. */
export const norm = (s: Scope, x: Value, { name, module }: { name: string; module: string }): Value =>
  layerNorm(inner(s, name, `${module}.`), x, { eps });

/** Rows of a learned table of positions, of which the first two are never read. */
export const learnedPositions = (s: Scope, { maxPositions, modelDim }: BartSizes): Value => {
  const table = { shape: [maxPositions + 2, modelDim], axes: ['position', 'model'] };
  return gather(weight(s, 'embed_positions.weight', table), integers(s, 'positions'));
};

export const learnedRules: BartLayout['inputs'] = {
  'encoder.positions': { rule: 'positions', offset: 2 },
  positions: { rule: 'positions', offset: 2 },
};

/** Vaswani 2017 eq. 1, with biases. */
const attentionOf = (c: BartSizes, stack: Stack): StackAttention => {
  const headDim = c.modelDim / c[stack].heads;
  return {
    ...{ modelDim: c.modelDim, heads: c[stack].heads, headDim, bias: true, scale: headDim ** -0.5 },
    names: { q: 'q_proj', k: 'k_proj', v: 'v_proj', out: 'out_proj' },
  };
};

const mlp = (s: Scope, x: Value, { c, stack }: { c: BartSizes; stack: Stack }): Value =>
  plainMlp(s, x, {
    up: torchLinear('fc1', c[stack].neurons, { axis: 'neuron', bias: true }),
    down: torchLinear('fc2', c.modelDim, { axis: 'model', bias: true }),
    act: activation(activationField, c.activation),
  });

const partsOf = (s: Scope, c: BartSizes, stack: Stack): BlockParts => {
  const a = attentionOf(c, stack);
  const ln = (name: string, module: string) => (x: Value) => norm(s, x, { name, module });
  const self = stack === 'encoder' ? encoderAttention : decoderAttention;
  const look = (x: Value) => crossAttention(inner(s, 'cross_attn', 'encoder_attn.'), x, a);
  return {
    ln1: ln('ln1', 'self_attn_layer_norm'),
    attention: (x) => self(inner(s, 'attn', 'self_attn.'), x, a),
    ...(stack === 'encoder' ? {} : { cross: { ln: ln('ln_cross', 'encoder_attn_layer_norm'), attention: look } }),
    ln2: ln('ln2', 'final_layer_norm'),
    mlp: (x) => mlp(inner(s, 'mlp'), x, { c, stack }),
  };
};

const stackBlocks = ({ sizes: c, prefix, block }: BartLayout, stack: Stack): Segment[] =>
  Array.from({ length: c[stack].layers }, (_, layer) => {
    const { heads } = c[stack];
    const place = { weights: `${prefix}${stack}.layers.${layer}.`, modelDim: c.modelDim, stack };
    const cache = stack === 'encoder' ? {} : { cache: { kvHeads: heads, headDim: c.modelDim / heads } };
    return blockSegment(layer, { ...place, ...cache }, (s, x) => block(s, x, partsOf(s, c, stack)));
  });

const embedding = ({ sizes: c, prefix, tables, positions, embedded }: BartLayout, stack: Stack): Segment => {
  const { name, vocab } = stack === 'encoder' ? tables.source : tables.target;
  const build = (s: Scope): Value => {
    const rows = gather(tokenTable(s, name, { vocab, modelDim: c.modelDim }), integers(s, 'ids'));
    const words = site(s, 'embed', c.embedScale === 1 ? rows : mul(rows, c.embedScale)); // [batch, position, model]
    return embedded(s, add(words, site(s, 'pos_embed', positions(s)))); // [batch, position, model]
  };
  return embedSegment(`${prefix}${stack}.`, build, stack);
};

/** Every token's score, with the number that the file may add to each. */
const scores = (s: Scope, x: Value, { has, tables, sizes }: BartLayout): Value => {
  const { vocab } = tables.target;
  const logits = unembed(x, tokenTable(s, tables.unembedding, { vocab, modelDim: sizes.modelDim }));
  if (!has('final_logits_bias')) return logits; // [batch, position, vocab]
  return add(logits, weight({ ...s, weights: '' }, 'final_logits_bias', { shape: [1, vocab], axes: ['one', 'vocab'] }));
};

const encoderFacts = ({ sizes: c, tables }: BartLayout): EncoderFacts => ({
  ...{ layers: c.encoder.layers, vocab: tables.source.vocab, maxPositions: c.maxPositions, start: c.start },
});

/** The program of an encoder-decoder laid out as BART. */
export const bartLayout = (parts: BartLayout): Program => {
  const { sizes: c, prefix, tables, ended } = parts;
  const { layers, heads } = c.decoder;
  const { maxPositions, modelDim } = c;
  const cross = { layers, modelDim, weights: (layer: number) => `${prefix}decoder.layers.${layer}.` };
  return encoderDecoderProgram({
    ...{ family: parts.family, config: parts.config, inputs: parts.inputs },
    tables: { embedding: tables.target.name, unembedding: tables.unembedding },
    sizes: { layers, heads, modelDim, maxPositions, vocab: tables.target.vocab },
    encoder: encoderFacts(parts),
    segments: [
      embedding(parts, 'encoder'),
      ...stackBlocks(parts, 'encoder'),
      encodedSegment(modelDim, `${prefix}encoder.`, ended),
      crossSegment(cross, (s, source) =>
        crossRows(inner(s, 'cross_attn', 'encoder_attn.'), source, attentionOf(c, 'decoder')),
      ),
      embedding(parts, 'decoder'),
      ...stackBlocks(parts, 'decoder'),
      headSegment(modelDim, { weights: `${prefix}decoder.`, stack: 'decoder' }, (s, x) =>
        scores(s, ended(s, x), parts),
      ),
    ],
    names: bartNames(prefix, parts.scalingModule || c.embedScale === 1),
  });
};
