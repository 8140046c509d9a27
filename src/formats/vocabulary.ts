import type { JsonObject } from '../base/index.js';
import { pieceStyle, pieceText, spellingsOf, unfinishedPieces } from './pieces.js';
import { addedTokens, type AddedToken } from './tokenizer-json.js';

/** What is asked of the library. */
interface NativeVocabulary {
  tokenToId(piece: string): number | null;
  idToToken(id: number): string | null;
}

/** Words, as ids and as text. */
export interface Vocabulary {
  /** The spelling in the vocabulary; undefined for an id that it does not have. */
  readonly pieceOf: (id: number) => string | undefined;
  readonly tokenText: (id: number) => string;
  readonly idOf: (text: string) => number | undefined;
  readonly specials: ReadonlyMap<number, string>;
  /** How many of the last pieces hold a character that may go on in the next. */
  readonly unfinished: (pieces: readonly string[]) => number;
}

/** The vocabulary of a loaded tokenizer; `json` is what it was loaded from. */
export const makeVocabulary = (native: NativeVocabulary, json: JsonObject): Vocabulary => {
  const style = pieceStyle(json['decoder'], json['pre_tokenizer']);
  const added = new Map<number, AddedToken>();
  for (const token of addedTokens(json)) {
    const id = native.tokenToId(token.content);
    if (id !== null) added.set(id, token);
  }
  const pieceOf = (id: number): string | undefined => {
    if (!Number.isInteger(id) || id < 0 || id >= 2 ** 32) return undefined;
    // The library gives an added token as its normalizer would change it.
    return added.get(id)?.content ?? native.idToToken(id) ?? undefined;
  };
  const makeText = (id: number): string => {
    const piece = pieceOf(id);
    if (piece === undefined) return `[${id}]`;
    return added.has(id) ? piece : pieceText(piece, style);
  };
  const texts = new Map<number, string>();
  const tokenText = (id: number): string => {
    const text = texts.get(id) ?? makeText(id);
    texts.set(id, text);
    return text;
  };
  const idOf = (text: string): number | undefined =>
    spellingsOf(text, style)
      .map((piece) => native.tokenToId(piece))
      .find((id): id is number => id !== null && tokenText(id) === text);
  const specials = new Map([...added].filter(([, token]) => token.special).map(([id, token]) => [id, token.content]));
  return { pieceOf, tokenText, idOf, specials, unfinished: (pieces) => unfinishedPieces(pieces, style) };
};
