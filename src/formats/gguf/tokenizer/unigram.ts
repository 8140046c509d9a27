import type { JsonObject } from '../../../base/index.js';
import { spacesEscaped } from './byte-pairs.js';
import { readLandmarks, readVocabulary, wants, type GgmlVocabulary } from './ggml-vocabulary.js';
import { flagField, numbersField, vocabularyFault, type GgufMetadata } from './metadata.js';
import { addedTokens, template } from './special-tokens.js';

/** Bytes as base64, in parts that an argument list can hold. */
const base64 = (bytes: readonly number[]): string => {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.slice(at, at + 8192).map((byte) => byte & 0xff));
  return btoa(text);
};

const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const replace = (pattern: string, content: string): JsonObject => ({
  type: 'Replace',
  pattern: { Regex: pattern },
  content,
});

/** How spaces are read, as the file says. */
interface Spaces {
  /** Several count as one, those at the ends as none; every text begins with one. */
  readonly merged: boolean;
  readonly prefixed: boolean;
}

const readSpaces = (metadata: GgufMetadata): Spaces => ({
  merged: flagField(metadata, 'remove_extra_whitespaces') ?? false,
  prefixed: flagField(metadata, 'add_space_prefix') ?? false,
});

/** The table of the file, then what it says of spaces. */
const normalizers = (metadata: GgufMetadata, { merged, prefixed }: Spaces): readonly JsonObject[] => {
  const table = numbersField(metadata, 'precompiled_charsmap') ?? [];
  const escaped = [...(prefixed ? [{ type: 'Prepend', prepend: '▁' }] : []), spacesEscaped];
  return [
    ...(table.length > 0 ? [{ type: 'Precompiled', precompiled_charsmap: base64(table) }] : []),
    ...(merged ? [replace(String.raw`\A +| +\z`, ''), replace(' {2,}', ' ')] : escaped),
  ];
};

/**
 * Pieces with their scores. An unknown character costs more than the worst piece, and converters give what only fills
 * up the vocabulary scores far below: those are raised to the worst, and spelled so that no text has them.
 */
const scoredPieces = ({ tokens, kinds, scores = [] }: GgmlVocabulary): readonly (readonly [string, number])[] => {
  const worst = scores.reduce((least, score, id) => (kinds[id] === 'normal' && score < least ? score : least), 0);
  return tokens.map((token, id) => {
    const score = scores[id] ?? 0;
    if (kinds[id] === 'userDefined') return [token, 0];
    return kinds[id] === 'unused' && score < worst ? [`${token} `, worst] : [token, Math.max(score, worst)];
  });
};

/**
 * SentencePiece's unigram model (`t5`: T5, XLM-RoBERTa and others).
 * @throws ModelError TOKENIZER_INVALID
 */
export const unigram = (metadata: GgufMetadata): JsonObject => {
  const vocabulary = readVocabulary(metadata);
  const spaces = readSpaces(metadata);
  if (vocabulary.scores === undefined) throw vocabularyFault('it has no scores');
  const marks = readLandmarks(metadata, vocabulary.tokens.length, { eos: 1, unknown: 2 });
  if (marks.unknown === undefined) throw vocabularyFault('it has no unknown token');
  return {
    version: '1.0',
    added_tokens: addedTokens(vocabulary, metadata),
    normalizer: { type: 'Sequence', normalizers: normalizers(metadata, spaces) },
    // Word by word, as the library does for T5: sums over a long text would break ties otherwise.
    pre_tokenizer: spaces.merged ? metaspace : null,
    post_processor: template(
      vocabulary,
      { wanted: wants(metadata, 'bos', false), id: marks.bos, name: 'BOS' },
      { wanted: wants(metadata, 'eos', true), id: marks.eos, name: 'EOS' },
    ),
    decoder: spaces.merged || spaces.prefixed ? metaspace : { ...metaspace, prepend_scheme: 'never' },
    model: {
      type: 'Unigram',
      unk_id: marks.unknown,
      vocab: scoredPieces(vocabulary),
      byte_fallback: false,
    },
  };
};
