/** How a vocabulary is written: as tokenizer.json, vocab.json and merges.txt, vocab.txt, a SentencePiece model, or two of them. */
export type VocabularyFormat = 'tokenizerJson' | 'bytePairs' | 'wordPiece' | 'sentencePiece' | 'marian';

/** The files of a tokenizer, absolute paths. */
export interface TokenizerFiles {
  /** tokenizer.json, vocab.json, vocab.txt, a SentencePiece model, or Marian's source.spm. */
  readonly tokenizer: string;
  /** tokenizer.json where it is left out. */
  readonly format?: VocabularyFormat;
  /** tokenizer_config.json. */
  readonly config?: string;
  /** special_tokens_map.json. */
  readonly specialTokensMap?: string;
  /** added_tokens.json. */
  readonly addedTokens?: string;
  /** The model's config.json. */
  readonly modelConfig?: string;
  /** merges.txt, of byte pairs. */
  readonly merges?: string;
  /** vocab.json, of Marian. */
  readonly vocab?: string;
  /** target.spm, of Marian. */
  readonly target?: string;
}

/** What a special token is for. */
export type TokenRole = 'bos' | 'eos' | 'unk' | 'sep' | 'pad' | 'cls' | 'mask';

/** A token and its place in the text. */
export interface Token {
  readonly id: number;
  /** The piece as readable text; see `Tokenizer.tokenText`. */
  readonly text: string;
  /**
   * UTF-16 offset of the first character that the token holds a part of. A token that the template adds has
   * `start = end`, the place where it is put in.
   */
  readonly start: number;
  /** UTF-16 offset behind its last character. */
  readonly end: number;
}

export interface EncodeOptions {
  /** Add the special tokens of the template, and read their spellings as themselves; else neither. */
  readonly special: boolean;
  /** false: the template adds nothing, while spellings are read as `special` says; a chat spells its tokens itself. */
  readonly template?: boolean;
}

export interface DecodeOptions {
  /** Leave special tokens out of the text. */
  readonly skipSpecial: boolean;
}

/** Turns ids into text one at a time. */
export interface TokenStream {
  /** The text that has become certain with this token: never half a character; often empty. */
  push(id: number): string;
  /** What is left at the end; characters that stayed unfinished as U+FFFD. */
  flush(): string;
}

/** Text to tokens and back, as the model was trained with. */
export interface Tokenizer {
  encode(text: string, options: EncodeOptions): Promise<readonly Token[]>;
  encodeBatch(texts: readonly string[], options: EncodeOptions): Promise<readonly (readonly Token[])[]>;
  decode(ids: readonly number[], options: DecodeOptions): Promise<string>;
  /**
   * One token as readable text: a byte-level piece as its characters, bytes that are only a part of one as `⟨0xE4⟩`,
   * `▁` as a space, a special token as its spelling; an id that the vocabulary does not have as `[id]`.
   */
  tokenText(id: number): string;
  /** The single token whose `tokenText` is exactly this, such as `" Paris"`. */
  idOf(text: string): number | undefined;
  /** Ids are below this, unless the vocabulary has holes. */
  readonly vocabSize: number;
  /** The special tokens: id to spelling. */
  readonly specials: ReadonlyMap<number, string>;
  /** The ids of tokens with a role, where the files tell; two roles may share a token. */
  readonly roles: ReadonlyMap<TokenRole, number>;
  /** @param after ids that came before, so that the first piece keeps its leading space; special tokens are left out */
  stream(after?: readonly number[]): TokenStream;
}
