import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Encoding, Tokenizer as Native } from 'tokenizers';
import { ModelError, UsageError, type JsonObject } from '../base/index.js';
import { reasonOf, readJsonObject, systemCode, unreadable } from './file.node.js';
import { placeTokens } from './offsets.js';
import { makeTokenStream } from './token-stream.js';
import { addedTokens, checkTokenizerJson, withoutSpecials } from './tokenizer-json.js';
import type { Token, Tokenizer, TokenizerFiles, TokenRole } from './tokenizer.js';
import { makeVocabulary, type Vocabulary } from './vocabulary.js';

/** The largest that is published has 35 MB. */
const tokenizerLimitBytes = 256_000_000;

const invalid = (file: string, cause: unknown): ModelError =>
  new ModelError(`${file} is no usable tokenizer: ${reasonOf(cause)}`, {
    code: 'TOKENIZER_INVALID',
    hint: 'Take tokenizer.json anew from the place that the model came from; until then give ids with --ids.',
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
  return async (texts, { special }) => {
    try {
      const reading = special ? real : await (plain ??= loadPlain(json, real));
      const encodings = await reading.native.encodeBatch([...texts], { addSpecialTokens: special });
      return encodings.map((encoding, i) => tokensOf(texts[i] ?? '', encoding, reading));
    } catch (cause) {
      throw invalid(file, cause);
    }
  };
};

interface Origin {
  /** The path that errors name. */
  readonly file: string;
  readonly roles: ReadonlyMap<TokenRole, number>;
}

const makeTokenizer = (native: Native, json: JsonObject, { file, roles }: Origin): Tokenizer => {
  const vocabulary = makeVocabulary(native, json);
  const { tokenText, idOf, pieceOf, specials, unfinished } = vocabulary;
  const encodeBatch = makeEncoder({ native, realIds: new Map(), vocabulary }, json, file);
  const decoder = native.getDecoder();
  const decode = (pieces: readonly string[]) => (decoder ? decoder.decode([...pieces]) : pieces.join(' '));
  const pieceUnlessSpecial = (id: number) => (specials.has(id) ? undefined : pieceOf(id));
  return {
    encode: async (text, options) => (await encodeBatch([text], options))[0] ?? [],
    encodeBatch,
    decode: async (ids, { skipSpecial }) =>
      decode(ids.map(skipSpecial ? pieceUnlessSpecial : pieceOf).filter((piece) => piece !== undefined)),
    tokenText,
    idOf,
    vocabSize: native.getVocabSize(true),
    specials,
    roles,
    stream: (after = []) => makeTokenStream({ pieceOf: pieceUnlessSpecial, decode, unfinished }, after),
  };
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
): Promise<Tokenizer> => {
  try {
    checkTokenizerJson(json);
    return makeTokenizer(await load(json), json, { file, roles });
  } catch (cause) {
    throw invalid(file, cause);
  }
};

/** The file tokenizer.json that a path leads to. */
const findTokenizer = async (where: string): Promise<string> => {
  const there = await stat(where).catch((cause: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(cause))) return undefined;
    throw unreadable(where, cause);
  });
  if (there?.isFile()) return where;
  const file = path.join(where, 'tokenizer.json');
  if (there && (await stat(file).catch(() => undefined))) return file;
  if (!there)
    throw new UsageError(`there is no file or folder ${where}`, {
      code: 'MODEL_NOT_FOUND',
      hint: 'Check the path; nothing is downloaded, so fetch the model first.',
      details: { path: where },
    });
  throw new ModelError(`${where} holds no tokenizer.json`, {
    code: 'TOKENIZER_MISSING',
    hint: 'In Python, AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER) writes it from older files.',
    details: { path: where },
  });
};

/**
 * Opens a tokenizer.
 * @param where the files that `openFolder` found, or the path of a tokenizer.json or of a folder with one
 * @throws UsageError MODEL_NOT_FOUND
 * @throws ModelError TOKENIZER_MISSING, TOKENIZER_INVALID, FILE_UNREADABLE
 */
export const openTokenizer = async (where: TokenizerFiles | string): Promise<Tokenizer> => {
  const file = typeof where === 'string' ? await findTokenizer(path.resolve(where)) : where.tokenizer;
  const json = await readJsonObject(file, { code: 'TOKENIZER_INVALID', limitBytes: tokenizerLimitBytes });
  return openTokenizerJson(json, file);
};
