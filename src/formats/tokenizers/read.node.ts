import type { JsonObject } from '../../base/index.js';
import { readJsonObject, readSmallFile } from '../file.node.js';
import { TokenizerFault } from '../tokenizer-json.js';
import type { TokenizerFiles } from '../tokenizer.js';
import { convertByteLevel } from './byte-level.js';
import { convertSentencePiece } from './convert-sentencepiece.js';
import type { ConvertedTokenizer } from './converted.js';
import { convertMarian } from './marian.js';
import type { Settings } from './settings.js';
import { writtenRoles } from './special-tokens.js';
import { convertWordPiece } from './word-piece.js';

/** Which language a translation model's text is in. */
export type TranslationSide = 'source' | 'target';

/** The largest tokenizer.json that is published has 35 MB. */
const tokenizerLimitBytes = 256_000_000;
/** The largest that is published has 20 MB. */
const vocabularyLimitBytes = 64_000_000;
const settingsLimitBytes = 10_000_000;

const readJson = async (file: string | undefined, limitBytes: number): Promise<JsonObject> =>
  file === undefined ? {} : readJsonObject(file, { code: 'TOKENIZER_INVALID', limitBytes });

const readText = async (file: string): Promise<string> => {
  const bytes = await readSmallFile(file, vocabularyLimitBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TokenizerFault('it is no UTF-8 text');
  }
};

/** Spelling to id. */
const readVocabulary = async (file: string): Promise<ReadonlyMap<string, number>> => {
  const json = await readJson(file, vocabularyLimitBytes);
  const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32;
  return new Map(
    Object.entries(json).map(([piece, id]) => {
      if (!isId(id)) throw new TokenizerFault(`the id of ${JSON.stringify(piece)} is no whole number`);
      return [piece, id];
    }),
  );
};

const readSettings = async (files: TokenizerFiles): Promise<Settings> => ({
  config: await readJson(files.config, settingsLimitBytes),
  specialTokensMap: await readJson(files.specialTokensMap, settingsLimitBytes),
  addedTokens: await readJson(files.addedTokens, settingsLimitBytes),
  model: await readJson(files.modelConfig, settingsLimitBytes),
});

const beside = (file: string | undefined, name: string): string => {
  if (file === undefined) throw new TokenizerFault(`there is no ${name} beside it`);
  return file;
};

/**
 * Reads a tokenizer's files as a tokenizer.json.
 * @throws TokenizerFault
 * @throws ModelError TOKENIZER_INVALID, FILE_UNREADABLE
 */
export const readTokenizer = async (files: TokenizerFiles, side: TranslationSide): Promise<ConvertedTokenizer> => {
  const settings = await readSettings(files);
  switch (files.format ?? 'tokenizerJson') {
    case 'tokenizerJson': {
      const json = await readJson(files.tokenizer, tokenizerLimitBytes);
      return { json, roles: writtenRoles(settings) };
    }
    case 'bytePairs': {
      const vocab = await readVocabulary(files.tokenizer);
      return convertByteLevel(vocab, await readText(beside(files.merges, 'merges.txt')), settings);
    }
    case 'wordPiece':
      return convertWordPiece(await readText(files.tokenizer), settings);
    case 'sentencePiece': {
      const { src_lang, tgt_lang = src_lang } = settings.config;
      const config = { ...settings.config, src_lang: side === 'target' ? tgt_lang : src_lang };
      return convertSentencePiece(await readSmallFile(files.tokenizer, vocabularyLimitBytes), { ...settings, config });
    }
    case 'marian': {
      const vocab = await readVocabulary(beside(files.vocab, 'vocab.json'));
      const file = side === 'source' ? files.tokenizer : beside(files.target, 'target.spm');
      return convertMarian(await readSmallFile(file, vocabularyLimitBytes), vocab, settings);
    }
  }
};
