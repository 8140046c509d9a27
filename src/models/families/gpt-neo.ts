import type { JsonObject } from '../../base/index.js';
import { add, building, gather, inner, site, weight, type Program, type Scope, type Value } from '../../graph/index.js';
import { activation } from '../parts/activations.js';
import type { AliasNames } from '../layouts/aliases.js';
import { attendCached, attentionOutput, splitHeads } from '../parts/attention.js';
import { preNormBlock } from '../parts/blocks.js';
import { ConfigReader, unsupportedField } from '../config/config-reader.js';
import { decoderProgram, tokenTables } from '../layouts/decoder.js';
import type { Family, HasTensor } from '../family.js';
import { layerNorm, linear, tokenTable, torchLinear, unembed } from '../parts/layers.js';
import { plainMlp } from '../parts/mlp.js';
import { blockSegment, embedSegment, headSegment, type BlockOutputs } from '../parts/segments.js';
import { causalMask, integers } from '../parts/sequence.js';

/** Black et al. 2021, "GPT-Neo"; transformers `GPTNeoForCausalLM`. */
interface NeoConfig {
  readonly vocab: number;
  readonly maxPositions: number;
  readonly modelDim: number;
  readonly layers: number;
  readonly heads: number;
  readonly neurons: number;
  readonly eps: number;
  readonly activation: string;
  readonly tiedHead: boolean;
  /** Of each layer: does a query see a window of keys only? */
  readonly local: readonly boolean[];
  readonly window: number;
}

const activationField = 'activation_function';

/** `[[["global", "local"], 12]]`: lists of kinds, each with how often it is repeated. */
const localLayers = (c: ConfigReader, layers: number): readonly boolean[] => {
  const given = c.raw('attention_types') ?? [[['global', 'local'], Math.ceil(layers / 2)]];
  const kinds = (Array.isArray(given) ? (given as readonly unknown[]) : []).flatMap((group): readonly unknown[] => {
    const [list, times] = Array.isArray(group) ? (group as readonly unknown[]) : [];
    if (!Array.isArray(list) || typeof times !== 'number' || times > layers) return [undefined];
    return Array.from({ length: times }, () => list as readonly unknown[]).flat();
  });
  const odd = kinds.find((kind) => kind !== 'global' && kind !== 'local');
  if (kinds.includes(undefined) || odd !== undefined)
    throw unsupportedField('attention_types', given, 'Layers are "global" or "local": [[["global", "local"], 12]].');
  c.require(kinds.length === layers, 'attention_types', `a list that makes ${layers} layers`);
  return kinds.map((kind) => kind === 'local');
};

const parseConfig = (json: JsonObject): NeoConfig => {
  const c = new ConfigReader(json);
  const [modelDim, heads, layers] = [c.integer('hidden_size'), c.integer('num_heads'), c.layers('num_layers')];
  c.require(modelDim % heads === 0, 'num_heads', `a divisor of hidden_size (${modelDim})`);
  c.raw('attention_layers'); // made from attention_types
  const parsed: NeoConfig = {
    ...{ modelDim, heads, layers },
    vocab: c.integer('vocab_size'),
    maxPositions: c.integer('max_position_embeddings', 2048),
    neurons: c.integer('intermediate_size', 4 * modelDim),
    eps: c.number('layer_norm_epsilon', 1e-5),
    activation: c.string(activationField, 'gelu_new'),
    tiedHead: c.boolean('tie_word_embeddings', true),
    local: localLayers(c, layers),
    window: c.integer('window_size', 256),
  };
  c.finish([
    ...['embed_dropout', 'resid_dropout', 'summary_activation', 'summary_first_dropout'],
    ...['summary_proj_to_labels', 'summary_type', 'summary_use_proj'],
  ]);
  return parsed;
};

/** softmax(QKᵀ + M)V: the products are not scaled. Gives what is added to the stream, and keys and values. */
const attention = (s: Scope, x: Value, { c, local }: { c: NeoConfig; local: boolean }): BlockOutputs =>
  building(s, () => {
    const form = { heads: c.heads, headDim: c.modelDim / c.heads };
    const project = (name: string): Value =>
      splitHeads(linear(s, x, torchLinear(name, c.modelDim, { axis: 'model', bias: false })), form);
    const q = site(s, 'q', project('q_proj')); // [batch, position, head, headDim]
    const k = site(s, 'k', project('k_proj')); // [batch, position, head, headDim]
    const v = site(s, 'v', project('v_proj')); // [batch, position, head, headDim]
    const z = attendCached(s, { q, k, v, mask: causalMask(s, local ? 'window' : 'causal') });
    const out = attentionOutput(s, z, torchLinear('out_proj', c.modelDim, { axis: 'model', bias: true }));
    return { resid: out, k, v };
  });

const block = (s: Scope, x: Value, { c, local }: { c: NeoConfig; local: boolean }): BlockOutputs =>
  preNormBlock(s, x, {
    ln1: (y) => layerNorm(inner(s, 'ln1', 'ln_1.'), y, c),
    attention: (y) => attention(inner(s, 'attn', 'attn.attention.'), y, { c, local }),
    ln2: (y) => layerNorm(inner(s, 'ln2', 'ln_2.'), y, c),
    mlp: (y) =>
      plainMlp(inner(s, 'mlp', 'mlp.'), y, {
        up: torchLinear('c_fc', c.neurons, { axis: 'neuron', bias: true }),
        down: torchLinear('c_proj', c.modelDim, { axis: 'model', bias: true }),
        act: activation(activationField, c.activation),
      }),
  });

const embed = (s: Scope, { c, table }: { c: NeoConfig; table: string }): Value => {
  const place = weight(s, 'wpe.weight', { shape: [c.maxPositions, c.modelDim], axes: ['position', 'model'] });
  const words = site(s, 'embed', gather(tokenTable(s, table, c), integers(s, 'ids'))); // [batch, position, model]
  return add(words, site(s, 'pos_embed', gather(place, integers(s, 'positions'))));
};

const names = (prefix: string): AliasNames => ({
  blocks: `${prefix}h`,
  inBlock: {
    ln_1: 'ln1.normalized',
    attn: 'attn_out',
    'attn.attention': 'attn_out',
    'attn.attention.out_proj': 'attn_out',
    ln_2: 'ln2.normalized',
    mlp: 'mlp_out',
    'mlp.c_fc': 'mlp.pre',
    'mlp.act': 'mlp.post',
    'mlp.c_proj': 'mlp_out',
  },
  outside: {
    [`${prefix}wte`]: 'embed',
    [`${prefix}wpe`]: 'pos_embed',
    [`${prefix}ln_f`]: 'ln_final.normalized',
    lm_head: 'logits',
  },
});

const build = (json: JsonObject, has: HasTensor): Program => {
  const c = parseConfig(json);
  const prefix = has('wte.weight') ? '' : 'transformer.'; // a bare model saves its tensors without it
  const tables = tokenTables(has, { embedding: `${prefix}wte.weight`, unembedding: 'lm_head.weight' }, c.tiedHead);
  const cache = { kvHeads: c.heads, headDim: c.modelDim / c.heads };
  const segments = [
    embedSegment(prefix, (s) => embed(s, { c, table: tables.embedding })),
    ...c.local.map((local, layer) =>
      blockSegment(layer, { weights: `${prefix}h.${layer}.`, modelDim: c.modelDim, cache }, (s, x) =>
        block(s, x, { c, local }),
      ),
    ),
    headSegment(c.modelDim, { weights: prefix }, (s, x) =>
      unembed(layerNorm(inner(s, 'ln_final', 'ln_f.'), x, c), tokenTable(s, tables.unembedding, c)),
    ),
  ];
  return decoderProgram({
    ...{ family: gptNeo.name, config: json, segments, tables, sizes: c },
    inputs: {
      positions: { rule: 'positions' },
      ...(c.local.includes(true) ? { 'mask.window': { rule: 'causal', window: c.window } } : {}),
    },
    names: names(prefix),
    normalized: 'normalized',
  });
};

export const gptNeo: Family = {
  name: 'gpt_neo',
  architectures: ['GPTNeoForCausalLM', 'GPTNeoModel'],
  activationField,
  ignoredTensors: /attn\.attention\.(bias|masked_bias)$|^lm_head\.weight$/,
  build,
};
