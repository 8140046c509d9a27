import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError, UsageError } from '../../base/index.js';
import { systemCode, unreadable } from '../file.node.js';
import type { TokenizerFiles, VocabularyFormat } from '../tokenizer.js';

/** What SentencePiece models are called, the likeliest first. */
const sentencePieceNames = [
  'spiece.model',
  'tokenizer.model',
  'sentencepiece.bpe.model',
  'sentencepiece.model',
  'spm.model',
];

/** The vocabulary among the files of a folder, the likeliest kind first: its format and file. */
const vocabularyIn = (names: ReadonlySet<string>): readonly [VocabularyFormat, string] | undefined => {
  const has = (...some: readonly string[]): boolean => some.every((name) => names.has(name));
  if (has('tokenizer.json')) return ['tokenizerJson', 'tokenizer.json'];
  if (has('source.spm', 'vocab.json')) return ['marian', 'source.spm'];
  const named = sentencePieceNames.find((name) => names.has(name));
  if (named !== undefined) return ['sentencePiece', named];
  if (has('vocab.json', 'merges.txt')) return ['bytePairs', 'vocab.json'];
  if (has('vocab.txt')) return ['wordPiece', 'vocab.txt'];
  const models = [...names].filter((name) => /\.(model|spm)$/i.test(name));
  return models.length === 1 && models[0] !== undefined ? ['sentencePiece', models[0]] : undefined;
};

/** What a file is taken for when it is named itself. */
const formatOf = (name: string, names: ReadonlySet<string>): readonly [VocabularyFormat, string] => {
  if (/\.(model|spm)$/i.test(name)) {
    const marian = ['source.spm', 'target.spm'].includes(name) && names.has('vocab.json');
    return [marian ? 'marian' : 'sentencePiece', name];
  }
  if (/\.txt$/i.test(name) && name !== 'merges.txt') return ['wordPiece', name];
  return ['vocab.json', 'merges.txt'].includes(name) ? ['bytePairs', 'vocab.json'] : ['tokenizerJson', name];
};

const withSettings = (
  folder: string,
  names: ReadonlySet<string>,
  [format, name]: readonly [VocabularyFormat, string],
): TokenizerFiles => {
  const file = (key: string, beside: string) => (names.has(beside) ? { [key]: path.join(folder, beside) } : {});
  return {
    tokenizer: path.join(folder, name),
    format,
    ...file('config', 'tokenizer_config.json'),
    ...file('specialTokensMap', 'special_tokens_map.json'),
    ...file('addedTokens', 'added_tokens.json'),
    ...file('modelConfig', 'config.json'),
    ...(format === 'bytePairs' ? file('merges', 'merges.txt') : {}),
    ...(format === 'marian' ? { ...file('vocab', 'vocab.json'), ...file('target', 'target.spm') } : {}),
  };
};

/** The tokenizer's files in a folder; undefined where there is no vocabulary. */
export const tokenizerFilesIn = (folder: string, names: ReadonlySet<string>): TokenizerFiles | undefined => {
  const vocabulary = vocabularyIn(names);
  return vocabulary && withSettings(folder, names, vocabulary);
};

const namesIn = async (folder: string): Promise<ReadonlySet<string>> => {
  try {
    return new Set(await readdir(folder));
  } catch (cause) {
    throw unreadable(folder, cause);
  }
};

/**
 * The tokenizer's files that a path leads to: of a folder its own, of a file this one and those beside it.
 * @throws UsageError MODEL_NOT_FOUND
 * @throws ModelError TOKENIZER_MISSING, FILE_UNREADABLE
 */
export const tokenizerFilesAt = async (where: string): Promise<TokenizerFiles> => {
  const there = await stat(where).catch((cause: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(cause))) return undefined;
    throw unreadable(where, cause);
  });
  if (!there)
    throw new UsageError(`there is no file or folder ${where}`, {
      code: 'MODEL_NOT_FOUND',
      hint: 'Check the path; nothing is downloaded, so fetch the model first.',
      details: { path: where },
    });
  if (!there.isDirectory()) {
    const folder = path.dirname(where);
    const names = await namesIn(folder);
    return withSettings(folder, names, formatOf(path.basename(where), names));
  }
  const files = tokenizerFilesIn(where, await namesIn(where));
  if (files) return files;
  throw new ModelError(`${where} holds no vocabulary`, {
    code: 'TOKENIZER_MISSING',
    hint: 'There must be tokenizer.json, vocab.json with merges.txt, vocab.txt, or a SentencePiece model.',
    details: { path: where },
  });
};
