import type { JsonObject } from '../../../base/index.js';
import { spacesEscaped, spacesUnescaped } from './byte-pairs.js';
import { readLandmarks, readVocabulary, wants, type GgmlVocabulary } from './ggml-vocabulary.js';
import { flagField, vocabularyFault, type GgufMetadata } from './metadata.js';
import { addedTokens, template } from './special-tokens.js';

/** Cutting a piece in all ways takes its length squared; the longest published has 93 characters. */
const longestPiece = 512;

/** All ways to make a piece out of two that are tokens. */
const waysToMake = (piece: string, idOf: ReadonlyMap<string, number>): readonly (readonly [string, string])[] => {
  const ways: (readonly [string, string])[] = [];
  let at = 0;
  for (const character of piece) {
    at += character.length;
    const left = piece.slice(0, at);
    if (!idOf.has(left)) continue;
    const right = piece.slice(at);
    if (idOf.has(right)) ways.push([left, right]);
  }
  return ways;
};

/**
 * SentencePiece joins, of all neighbours that make a piece, those with the best score first. As merges: every way to
 * make a piece, ranked by the score of what it makes.
 * @source Kudo 2018, SentencePiece: bpe_model.cc; llama.cpp src/llama-vocab.cpp, `llm_tokenizer_spm_session`
 */
const mergesByScore = ({ tokens, kinds, scores, idOf }: GgmlVocabulary): readonly (readonly [string, string])[] => {
  if (scores === undefined) throw vocabularyFault('it has no scores');
  const made = tokens
    .map((piece, id) => ({ piece, id, kind: kinds[id], score: scores[id] ?? 0 }))
    .filter(({ kind }) => kind !== 'control' && kind !== 'unknown' && kind !== 'byte');
  const long = made.find(({ piece }) => piece.length > longestPiece);
  if (long) throw vocabularyFault(`its token ${long.id} has more than ${longestPiece} characters`);
  return made.sort((a, b) => b.score - a.score || a.id - b.id).flatMap(({ piece }) => waysToMake(piece, idOf));
};

/**
 * SentencePiece's byte pairs with scores (`llama`).
 * @throws ModelError TOKENIZER_INVALID
 */
export const sentencePieces = (metadata: GgufMetadata): JsonObject => {
  const vocabulary = readVocabulary(metadata);
  const marks = readLandmarks(metadata, vocabulary.tokens.length, { bos: 1, eos: 2, unknown: 0 });
  const prefixed = flagField(metadata, 'add_space_prefix') ?? true;
  const prefix = { type: 'Prepend', prepend: '▁' };
  const dropPrefix = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  const bytes = [{ type: 'ByteFallback' }, { type: 'Fuse' }];
  return {
    version: '1.0',
    added_tokens: addedTokens(vocabulary, metadata),
    normalizer: { type: 'Sequence', normalizers: prefixed ? [prefix, spacesEscaped] : [spacesEscaped] },
    pre_tokenizer: null,
    post_processor: template(
      vocabulary,
      { wanted: wants(metadata, 'bos', true), id: marks.bos, name: 'BOS' },
      { wanted: wants(metadata, 'eos', false), id: marks.eos, name: 'EOS' },
    ),
    decoder: { type: 'Sequence', decoders: [spacesUnescaped, ...bytes, ...(prefixed ? [dropPrefix] : [])] },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(vocabulary.idOf),
      merges: mergesByScore(vocabulary),
      unk_token: marks.unknown === undefined ? null : (vocabulary.tokens[marks.unknown] ?? null),
      fuse_unk: true,
      byte_fallback: true,
    },
  };
};
