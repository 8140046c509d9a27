import type { JsonObject } from '../../base/index.js';
import { site, type Program } from '../../graph/index.js';
import { activationField, bartHarmless, readBart, refuseOthers } from '../config/bart-config.js';
import { bartLayout, learnedPositions, learnedRules, norm } from '../layouts/bart-layout.js';
import { bartPrefix, bartTables } from '../layouts/bart-tables.js';
import { bart } from './bart.js';
import { ConfigReader } from '../config/config-reader.js';
import type { Family, HasTensor } from '../family.js';
import { preNormBlock } from '../parts/blocks.js';

/**
 * mBART: BART in many languages, with norms before each sublayer and one after the last block.
 * @source Liu et al. 2020, "Multilingual Denoising Pre-training"; transformers `MBartForConditionalGeneration`
 */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const vocab = c.integer('vocab_size');
  const sizes = readBart(c, { start: c.integer('bos_token_id', 0, 0), vocab });
  const tied = c.boolean('tie_word_embeddings', true);
  refuseOthers(c, 'mBART', {
    ...{ add_final_layer_norm: true, extra_pos_embeddings: 2, normalize_before: true },
    ...{ normalize_embedding: true, static_position_embeddings: false },
  });
  c.finish(bartHarmless);
  const prefix = bartPrefix(has);
  return bartLayout({
    ...{ family: mbart.name, config: json, has, sizes, prefix, scalingModule: true },
    tables: bartTables(has, { prefix, vocab, tied }),
    block: preNormBlock,
    positions: (s) => learnedPositions(s, sizes),
    embedded: (s, x) => site(s, 'ln_embed', norm(s, x, { name: 'ln_embed', module: 'layernorm_embedding' })),
    ended: (s, x) => norm(s, x, { name: 'ln_final', module: 'layer_norm' }),
    inputs: learnedRules,
  });
};

export const mbart: Family = {
  name: 'mbart',
  architectures: ['MBartForConditionalGeneration', 'MBartModel'],
  activationField,
  ignoredTensors: bart.ignoredTensors,
  build,
};
