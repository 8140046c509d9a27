import type { JsonObject } from '../../base/index.js';
import { site, type Program } from '../../graph/index.js';
import { activationField, bartHarmless, readBart, refuseOthers } from '../config/bart-config.js';
import { bartLayout, learnedPositions, learnedRules, norm } from '../layouts/bart-layout.js';
import { bartPrefix, bartTables } from '../layouts/bart-tables.js';
import { ConfigReader } from '../config/config-reader.js';
import type { Family, HasTensor } from '../family.js';
import { postNormBlock } from '../parts/blocks.js';

/**
 * BART: the Transformer with norms after each sublayer, learned positions, and a norm on the embedding.
 * @source Lewis et al. 2020, "BART: Denoising Sequence-to-Sequence Pre-training"; transformers `BartForConditionalGeneration`
 */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const vocab = c.integer('vocab_size');
  const sizes = readBart(c, { start: 2, vocab });
  const tied = c.boolean('tie_word_embeddings', true);
  refuseOthers(c, 'BART', {
    ...{ add_final_layer_norm: false, extra_pos_embeddings: 2, normalize_before: false },
    ...{ normalize_embedding: true, static_position_embeddings: false },
  });
  c.finish(bartHarmless);
  const prefix = bartPrefix(has);
  return bartLayout({
    ...{ family: bart.name, config: json, has, sizes, prefix, scalingModule: true },
    tables: bartTables(has, { prefix, vocab, tied }),
    block: postNormBlock,
    positions: (s) => learnedPositions(s, sizes),
    embedded: (s, x) => site(s, 'ln_embed', norm(s, x, { name: 'ln_embed', module: 'layernorm_embedding' })),
    ended: (_, x) => x,
    inputs: learnedRules,
  });
};

export const bart: Family = {
  name: 'bart',
  architectures: ['BartForConditionalGeneration', 'BartModel'],
  activationField,
  // copies of the embedding, and a number that the first uploads hold
  ignoredTensors: /(^|\.)(encoder|decoder)\.(embed_tokens\.weight|version)$|^lm_head\.weight$/,
  build,
};
