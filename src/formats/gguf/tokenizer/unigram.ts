import type { JsonObject } from '../../../base/index.js';
import { spacesEscaped } from './byte-pairs.js';
import { readLandmarks, readVocabulary, wants } from './ggml-vocabulary.js';
import { flagField, numbersField, vocabularyFault, type GgufMetadata } from './metadata.js';
import { addedTokens, template } from './special-tokens.js';

/** Bytes as base64, in parts that an argument list can hold. */
const base64 = (bytes: readonly number[]): string => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.slice(at, at + 8192).map((byte) => byte & 0xff));
  return btoa(text);
};

const replace = (pattern: string, content: string): JsonObject => ({
  type: 'Replace',
  pattern: { Regex: pattern },
  content,
});

/** The table of the file, then what it says of spaces. A text of merged spaces always begins with one. */
const normalizers = (metadata: GgufMetadata): readonly JsonObject[] => {
  const table = numbersField(metadata, 'precompiled_charsmap') ?? [];
  const merged = flagField(metadata, 'remove_extra_whitespaces') ?? false;
  const prefixed = merged || (flagField(metadata, 'add_space_prefix') ?? false);
  return [
    ...(table.length > 0 ? [{ type: 'Precompiled', precompiled_charsmap: base64(table) }] : []),
    ...(merged ? [replace(String.raw`\A +| +\z`, ''), replace(' {2,}', ' ')] : []),
    ...(prefixed ? [{ type: 'Prepend', prepend: '▁' }] : []),
    spacesEscaped,
  ];
};

/**
 * SentencePiece's unigram model (`t5`: T5, XLM-RoBERTa and others).
 * @throws ModelError TOKENIZER_INVALID
 */
export const unigram = (metadata: GgufMetadata): JsonObject => {
  const vocabulary = readVocabulary(metadata);
  const { tokens, kinds, scores } = vocabulary;
  if (scores === undefined) throw vocabularyFault('it has no scores');
  const marks = readLandmarks(metadata, tokens.length, { eos: 1, unknown: 2 });
  if (marks.unknown === undefined) throw vocabularyFault('it has no unknown token');
  return {
    version: '1.0',
    added_tokens: addedTokens(vocabulary, metadata),
    normalizer: { type: 'Sequence', normalizers: normalizers(metadata) },
    pre_tokenizer: null,
    post_processor: template(
      vocabulary,
      { wanted: wants(metadata, 'bos', false), id: marks.bos, name: 'BOS' },
      { wanted: wants(metadata, 'eos', true), id: marks.eos, name: 'EOS' },
    ),
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: marks.unknown,
      vocab: tokens.map((token, id) => [token, kinds[id] === 'userDefined' ? 0 : (scores[id] ?? 0)]),
      byte_fallback: false,
    },
  };
};
