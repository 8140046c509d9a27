import type { JsonObject } from '../../../base/index.js';
import { flagField, textField, textsField, vocabularyFault, type GgufMetadata } from './metadata.js';
import { readLandmarks, readVocabulary, wants, type GgmlVocabulary } from './ggml-vocabulary.js';
import { preTokenizerOf, type PreTokenizer } from './pre-tokenizers.js';
import { addedTokens, template } from './special-tokens.js';

/** A merge as its two pieces; they are parted by the first space behind the first character. */
const partsOf = (merge: string): readonly [string, string] => {
  const at = merge.indexOf(' ', 1);
  return at < 0 ? [merge, ''] : [merge.slice(0, at), merge.slice(at + 1)];
};

/** The merges, first ones first, each once. */
const readMerges = (metadata: GgufMetadata, { idOf }: GgmlVocabulary): readonly (readonly [string, string])[] => {
  const merges = textsField(metadata, 'merges');
  if (merges === undefined) throw vocabularyFault('it has no merges');
  return [...new Set(merges)].map((merge) => {
    const [left, right] = partsOf(merge);
    const unknown = [left, right, left + right].find((piece) => !idOf.has(piece));
    if (unknown === undefined) return [left, right];
    throw vocabularyFault(`a merge has the piece ${JSON.stringify(unknown.slice(0, 80))}, which is no token`);
  });
};

const split = (pattern: string): JsonObject => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
export const spacesEscaped = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
export const spacesUnescaped = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };

const readsBytes = ({ spelling }: PreTokenizer): boolean => spelling === 'bytes';

const normalizer = (pre: PreTokenizer, lowercase: boolean): JsonObject | null =>
  pre.spelling === 'spaces' ? spacesEscaped : lowercase ? { type: 'Lowercase' } : null;

/** Words alone, spaces dropped: vocabularies of kind `whitespace`. */
const wordsOnly = { type: 'WhitespaceSplit' };

const decoder = (pre: PreTokenizer): JsonObject => {
  if (readsBytes(pre)) return byteLevel;
  const bytes = [{ type: 'ByteFallback' }, { type: 'Fuse' }];
  return { type: 'Sequence', decoders: pre.spelling === 'spaces' ? [spacesUnescaped, ...bytes] : bytes };
};

/**
 * A vocabulary with merges (`gpt2`, `gemma4`, `whitespace`).
 * @throws ModelError TOKENIZER_INVALID
 */
export const bytePairs = (metadata: GgufMetadata, kind: string): JsonObject => {
  const vocabulary = readVocabulary(metadata);
  const pre = preTokenizerOf(kind === 'gemma4' ? kind : textField(metadata, 'pre'));
  const marks = readLandmarks(metadata, vocabulary.tokens.length, {});
  const bos = pre.alwaysBos || wants(metadata, 'bos', pre.addBos && marks.bos !== undefined);
  const words = kind === 'whitespace';
  const cuts = [...(words ? [wordsOnly] : []), ...pre.splits.map(split), ...(readsBytes(pre) ? [byteLevel] : [])];
  return {
    version: '1.0',
    added_tokens: addedTokens(vocabulary, metadata),
    normalizer: normalizer(pre, words && flagField(metadata, 'normalizer.lowercase') === true),
    pre_tokenizer: { type: 'Sequence', pretokenizers: cuts },
    post_processor: template(
      vocabulary,
      { wanted: bos, id: marks.bos, name: 'BOS' },
      { wanted: wants(metadata, 'eos', false), id: marks.eos, name: 'EOS' },
    ),
    decoder: decoder(pre),
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(vocabulary.idOf),
      merges: readMerges(metadata, vocabulary),
      byte_fallback: !readsBytes(pre),
      ignore_merges: pre.ignoreMerges,
    },
  };
};
