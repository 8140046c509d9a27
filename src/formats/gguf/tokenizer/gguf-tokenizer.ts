import type { JsonObject } from '../../../base/index.js';
import { ModelError, nearest } from '../../../base/index.js';
import { bytePairs } from './byte-pairs.js';
import { textField, type GgufMetadata } from './metadata.js';
import { sentencePieces } from './sentence-pieces.js';
import { unigram } from './unigram.js';
import { wordPieces } from './word-pieces.js';

/** By `tokenizer.ggml.model`. */
const makers: ReadonlyMap<string, (metadata: GgufMetadata) => JsonObject> = new Map([
  ['gpt2', (metadata) => bytePairs(metadata, 'gpt2')],
  ['gemma4', (metadata) => bytePairs(metadata, 'gemma4')],
  ['whitespace', (metadata) => bytePairs(metadata, 'whitespace')],
  ['llama', sentencePieces],
  ['bert', wordPieces],
  ['t5', unigram],
]);
const unsupported = ['rwkv', 'plamo2', 'hybriddna'];

const unknownKind = (kind: string): ModelError => {
  const known = unsupported.includes(kind);
  return new ModelError(
    `vocabularies of kind ${JSON.stringify(kind.slice(0, 80))} are not ${known ? 'supported' : 'known'}`,
    {
      code: 'TOKENIZER_INVALID',
      hint: `Supported: ${(known ? [...makers.keys()] : nearest(kind, makers.keys(), makers.size)).join(', ')}. Until it is, give ids with --ids.`,
      details: { 'tokenizer.ggml.model': kind.slice(0, 80) },
    },
  );
};

/**
 * The tokenizer.json that is equivalent to the vocabulary of a GGUF file.
 * @param metadata of the file; only `tokenizer.ggml.*` and `general.*` are read
 * @throws ModelError TOKENIZER_INVALID, TOKENIZER_MISSING
 */
export const ggufTokenizerJson = (metadata: GgufMetadata): JsonObject => {
  const kind = textField(metadata, 'model');
  if (kind === undefined || kind === 'none' || kind === 'no_vocab')
    throw new ModelError('the GGUF file holds no vocabulary', {
      code: 'TOKENIZER_MISSING',
      hint: 'Give ids with --ids, or a file with its tokenizer.',
    });
  const make = makers.get(kind);
  if (make === undefined) throw unknownKind(kind);
  return make(metadata);
};
