import path from 'node:path';
import type { Encoding, Tokenizer as Native } from 'tokenizers';
import { ModelError, type JsonObject } from '../base/index.js';
import { reasonOf } from './file.node.js';
import { readGgufFile } from './gguf/index.node.js';
import { ggufTokenizerJson } from './gguf/tokenizer/index.js';
import { placeTokens } from './offsets.js';
import { makeTokenStream } from './token-stream.js';
import { addedTokens, checkTokenizerJson, withoutSpecials } from './tokenizer-json.js';
import type { Token, Tokenizer, TokenizerFiles, TokenRole } from './tokenizer.js';
import type { ConvertedTokenizer } from './tokenizers/converted.js';
import { tokenizerFilesAt } from './tokenizers/files.node.js';
import { readTokenizer, type TranslationSide } from './tokenizers/read.node.js';
import { makeVocabulary, type Vocabulary } from './vocabulary.js';

const invalid = (file: string, cause: unknown): ModelError =>
  new ModelError(`${file} is no usable tokenizer: ${reasonOf(cause)}`, {
    code: 'TOKENIZER_INVALID',
    hint: 'Take it anew from the place that the model came from; until then give ids with --ids.',
    details: { path: file },
    cause,
  });

/** The library's tokenizer, which neither cuts nor fills up what it encodes. */
const load = async (json: JsonObject): Promise<Native> => {
  const { Tokenizer: NativeTokenizer } = await import('tokenizers');
  const native = NativeTokenizer.fromString(JSON.stringify(json));
  native.disableTruncation();
  native.disablePadding(); // some files fill every text up to a fixed length
  return native;
};

/** The two ways of reading a text. */
interface Reading {
  readonly native: Native;
  /** Ids that differ from the real tokenizer's. */
  readonly realIds: ReadonlyMap<number, number>;
  readonly vocabulary: Vocabulary;
}

/** Reads special spellings as plain text. Other added tokens may get other ids then: they are translated back. */
const loadPlain = async (json: JsonObject, real: Reading): Promise<Reading> => {
  const native = await load(withoutSpecials(json));
  const realIds = addedTokens(json)
    .filter((token) => !token.special)
    .map(({ content }) => [native.tokenToId(content), real.native.tokenToId(content)] as const)
    .filter((pair): pair is readonly [number, number] => pair[0] !== null && pair[1] !== null && pair[0] !== pair[1]);
  return { native, realIds: new Map(realIds), vocabulary: real.vocabulary };
};

/** The library's encoding as our tokens. */
const tokensOf = (text: string, encoding: Encoding, { realIds, vocabulary }: Reading): readonly Token[] => {
  const mask = encoding.getSpecialTokensMask();
  const offsets = encoding.getOffsets();
  const ids = encoding.getIds().map((id) => realIds.get(id) ?? id);
  const found = ids.map((_, i) => ({ start: offsets[i]?.[0] ?? 0, end: offsets[i]?.[1] ?? 0, added: mask[i] === 1 }));
  const places = placeTokens(text, found);
  return ids.map((id, i) => {
    const [start, end] = places[i] ?? [0, 0];
    return { id, text: vocabulary.tokenText(id), start, end };
  });
};

/** Encodes with the template and special spellings, or without both. */
const makeEncoder = (real: Reading, json: JsonObject, file: string): Tokenizer['encodeBatch'] => {
  let plain: Promise<Reading> | undefined;
  return async (texts, { special, template = special }) => {
    try {
      const reading = special ? real : await (plain ??= loadPlain(json, real));
      const encodings = await reading.native.encodeBatch([...texts], { addSpecialTokens: template && special });
      return encodings.map((encoding, i) => tokensOf(texts[i] ?? '', encoding, reading));
    } catch (cause) {
      throw invalid(file, cause);
    }
  };
};

/** Texts cut by our own code, where a tokenizer.json cannot say how. */
const makeOwnEncoder = (
  encode: NonNullable<ConvertedTokenizer['encode']>,
  { tokenText, specials }: Vocabulary,
  file: string,
): Tokenizer['encodeBatch'] => {
  const tokens = (text: string, special: boolean): readonly Token[] =>
    encode(text, special).map(({ id, start, end }) => ({ id, text: tokenText(id), start, end }));
  const isAdded = ({ id, start, end }: Token): boolean => start === end && specials.has(id);
  return async (texts, { special, template = special }) => {
    try {
      const all = texts.map((text) => tokens(text, special));
      return await Promise.resolve(template ? all : all.map((list) => list.filter((token) => !isAdded(token))));
    } catch (cause) {
      throw invalid(file, cause);
    }
  };
};

const makeTokenizer = (native: Native, converted: ConvertedTokenizer, file: string): Tokenizer => {
  const { json, encode } = converted;
  const vocabulary = makeVocabulary(native, json);
  const { tokenText, idOf, pieceOf, specials, unfinished } = vocabulary;
  const encodeBatch = encode
    ? makeOwnEncoder(encode, vocabulary, file)
    : makeEncoder({ native, realIds: new Map(), vocabulary }, json, file);
  const decoder = native.getDecoder();
  const decode = (pieces: readonly string[]) => (decoder ? decoder.decode([...pieces]) : pieces.join(' '));
  const pieceUnlessSpecial = (id: number) => (specials.has(id) ? undefined : pieceOf(id));
  const roles = [...converted.roles].flatMap(([role, token]) => {
    const id = typeof token === 'number' ? token : native.tokenToId(token);
    return id === null ? [] : [[role, id] as const];
  });
  return {
    encode: async (text, options) => (await encodeBatch([text], options))[0] ?? [],
    encodeBatch,
    decode: async (ids, { skipSpecial }) =>
      decode(ids.map(skipSpecial ? pieceUnlessSpecial : pieceOf).filter((piece) => piece !== undefined)),
    tokenText,
    idOf,
    vocabSize: native.getVocabSize(true),
    specials,
    roles: new Map(roles),
    stream: (after = []) => makeTokenStream({ pieceOf: pieceUnlessSpecial, decode, unfinished }, after),
  };
};

const openConverted = async (converted: ConvertedTokenizer, file: string): Promise<Tokenizer> => {
  try {
    checkTokenizerJson(converted.json);
    return makeTokenizer(await load(converted.json), converted, file);
  } catch (cause) {
    throw invalid(file, cause);
  }
};

/**
 * A tokenizer made of the content of a tokenizer.json, from wherever that came.
 * @param file the path that errors name
 * @param roles which token begins a text and the like, where known
 * @throws ModelError TOKENIZER_INVALID
 */
export const openTokenizerJson = async (
  json: JsonObject,
  file: string,
  roles: ReadonlyMap<TokenRole, number> = new Map(),
): Promise<Tokenizer> => openConverted({ json, roles }, file);

/** What reading the files found wrong, as an error that names them. */
const readFiles = async (files: TokenizerFiles, side: TranslationSide): Promise<ConvertedTokenizer> => {
  try {
    return await readTokenizer(files, side);
  } catch (cause) {
    throw cause instanceof ModelError ? cause : invalid(files.tokenizer, cause);
  }
};

/** The vocabulary of a GGUF file, which may hold nothing else. */
const openGgufVocabulary = async (file: string): Promise<Tokenizer> =>
  openTokenizerJson(ggufTokenizerJson((await readGgufFile(file)).metadata), file);

/**
 * Opens a tokenizer.
 * @param where the files that `openFolder` found, or the path of a vocabulary or of a folder with one
 * @param options.side of a translation model with two vocabularies: whose text is read; the source's unless target.spm
 * is named itself
 * @throws UsageError MODEL_NOT_FOUND
 * @throws ModelError TOKENIZER_MISSING, TOKENIZER_INVALID, GGUF_INVALID, FILE_UNREADABLE
 */
export const openTokenizer = async (
  where: TokenizerFiles | string,
  options: { readonly side?: TranslationSide } = {},
): Promise<Tokenizer> => {
  const files = typeof where === 'string' ? await tokenizerFilesAt(path.resolve(where)) : where;
  if (/\.gguf$/i.test(files.tokenizer)) return openGgufVocabulary(files.tokenizer);
  const named = path.basename(files.tokenizer) === 'target.spm' ? 'target' : 'source';
  const side = options.side ?? named;
  return openConverted(await readFiles(files, side), files.tokenizer);
};
