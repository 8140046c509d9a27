import type { JsonObject } from '../../base/index.js';
import type { Program } from '../../graph/index.js';
import { activationField, bartHarmless, readBart, refuseOthers } from '../config/bart-config.js';
import { bartLayout } from '../layouts/bart-layout.js';
import { bartPrefix, bartTables, embeddingNames, headName, type BartTables } from '../layouts/bart-tables.js';
import { ConfigReader } from '../config/config-reader.js';
import { firstThere } from '../layouts/encoder-decoder.js';
import type { Family, HasTensor } from '../family.js';
import { sinusoids } from '../parts/sequence.js';
import { postNormBlock } from '../parts/blocks.js';

interface Vocabularies {
  readonly source: number;
  readonly target: number;
  /** Source and target have one vocabulary, and one table. */
  readonly shared: boolean;
  /** The decoder's table scores as well. */
  readonly tied: boolean;
}

const readVocabularies = (c: ConfigReader): Vocabularies => {
  const source = c.integer('vocab_size');
  const own = c.integer('decoder_vocab_size', source);
  const shared = c.boolean('share_encoder_decoder_embeddings', true);
  return { source, shared, target: shared ? source : own, tied: c.boolean('tie_word_embeddings', true) };
};

const tablesOf = (has: HasTensor, prefix: string, { source, target, shared, tied }: Vocabularies): BartTables => {
  if (shared) {
    const { source: one } = bartTables(has, { prefix, vocab: source, tied: true });
    return { source: one, target: one, unembedding: tied ? one.name : headName };
  }
  const { encoder, decoder } = embeddingNames(prefix);
  const name = firstThere(has, [decoder, ...(tied ? [headName] : [])]);
  return {
    source: { name: encoder, vocab: source },
    target: { name, vocab: target },
    unembedding: tied ? name : headName,
  };
};

/**
 * Marian: the Transformer of 2017, with its fixed positions, for translation.
 * @source Junczys-Dowmunt et al. 2018, "Marian"; Vaswani et al. 2017; transformers `MarianMTModel`
 */
const build = (json: JsonObject, has: HasTensor): Program => {
  const c = new ConfigReader(json);
  const vocabularies = readVocabularies(c);
  const sizes = readBart(c, { start: 58100, vocab: vocabularies.target });
  refuseOthers(c, 'Marian', {
    ...{ add_final_layer_norm: false, extra_pos_embeddings: 0, normalize_before: false },
    ...{ normalize_embedding: false, static_position_embeddings: true },
  });
  c.finish(bartHarmless);
  const prefix = bartPrefix(has);
  const sinusoid = { rule: 'sinusoid', dim: sizes.modelDim } as const;
  return bartLayout({
    ...{ family: marian.name, config: json, has, sizes, prefix, scalingModule: false },
    tables: tablesOf(has, prefix, vocabularies),
    block: postNormBlock,
    positions: (s) => sinusoids(s, sizes.modelDim),
    embedded: (_, x) => x,
    ended: (_, x) => x,
    inputs: { 'encoder.sinusoid': sinusoid, sinusoid },
  });
};

export const marian: Family = {
  name: 'marian',
  architectures: ['MarianMTModel', 'MarianModel'],
  activationField,
  // copies of the embedding, and the sines and cosines, which are computed
  ignoredTensors: /(^|\.)(encoder|decoder)\.(embed_tokens|embed_positions)\.weight$|^lm_head\.weight$/,
  build,
};
