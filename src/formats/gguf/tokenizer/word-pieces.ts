import type { JsonObject } from '../../../base/index.js';
import { readLandmarks, readVocabulary, type GgmlVocabulary } from './ggml-vocabulary.js';
import { flagField, vocabularyFault, type GgufMetadata } from './metadata.js';
import { addedTokens, template } from './special-tokens.js';

/** GGUF marks the start of a word with `▁`, BERT its continuation with `##`. */
const asInBert = (token: string): string => {
  if (token.startsWith('[') && token.endsWith(']')) return token;
  return token.startsWith('▁') ? token.slice(1) : `##${token}`;
};

const inBertsSpelling = (vocabulary: GgmlVocabulary): GgmlVocabulary => {
  const tokens = vocabulary.tokens.map((token, id) => (vocabulary.kinds[id] === 'normal' ? asInBert(token) : token));
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  if (idOf.size < tokens.length) throw vocabularyFault('two of its tokens differ in nothing but their mark ▁');
  return { ...vocabulary, tokens, idOf };
};

/**
 * BERT's word pieces (`bert`).
 * @throws ModelError TOKENIZER_INVALID
 */
export const wordPieces = (metadata: GgufMetadata): JsonObject => {
  const vocabulary = inBertsSpelling(readVocabulary(metadata));
  const marks = readLandmarks(metadata, vocabulary.tokens.length, { bos: 101, unknown: 100, separator: 102 });
  const unknown = marks.unknown === undefined ? undefined : vocabulary.tokens[marks.unknown];
  if (unknown === undefined) throw vocabularyFault('it has no unknown token');
  const lowercase = flagField(metadata, 'normalizer.lowercase') ?? true;
  const strip_accents = flagField(metadata, 'normalizer.strip_accents') ?? lowercase;
  return {
    version: '1.0',
    added_tokens: addedTokens(vocabulary, metadata),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents, lowercase },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: template(
      vocabulary,
      { wanted: true, id: marks.bos, name: 'CLS' },
      { wanted: true, id: marks.separator, name: 'SEP' },
    ),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.idOf),
    },
  };
};
