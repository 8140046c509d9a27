import { flagField, idField, numbersField, textsField, vocabularyFault, type GgufMetadata } from './metadata.js';

/** What a token is for. */
export type TokenKind = 'normal' | 'unknown' | 'control' | 'userDefined' | 'unused' | 'byte';

/** The tokens of a GGUF file, by id. */
export interface GgmlVocabulary {
  /** Spellings, all different. */
  readonly tokens: readonly string[];
  readonly kinds: readonly TokenKind[];
  /** Larger is preferred; undefined where the file has none. */
  readonly scores: readonly number[] | undefined;
  readonly idOf: ReadonlyMap<string, number>;
}

/** @source ggml docs/gguf.md, `tokenizer.ggml.token_type`; 0 and unknown numbers have no meaning */
const kindOfType: readonly (TokenKind | undefined)[] = [
  undefined,
  'normal',
  'unknown',
  'control',
  'userDefined',
  'unused',
  'byte',
];

/** What marks turns and places to fill in; some converters wrote them as ordinary tokens. @source llama.cpp src/llama-vocab.cpp */
const controlSpellings: ReadonlySet<string> = new Set(
  (
    '<|eot_id|> <|eom_id|> <|im_end|> <|end|> <|endoftext|> <|end_of_text|> <|return|> <|call|> <|calls|> <|flush|> ' +
    '<end_of_turn> <turn|> <|tool_response> <EOT> _<EOT> [EOT] [EOS] [e~[ <end_of_utterance> <｜end▁of▁sentence｜> ' +
    '<|fim_prefix|> <fim-prefix> <fim_prefix> <｜fim▁begin｜> <PRE> ▁<PRE> <|code_prefix|> <|prefix|> ' +
    '<|fim_suffix|> <fim-suffix> <fim_suffix> <｜fim▁hole｜> <SUF> ▁<SUF> <|code_suffix|> <|suffix|> ' +
    '<|fim_middle|> <fim-middle> <fim_middle> <｜fim▁end｜> <MID> ▁<MID> <|code_middle|> <|middle|> ' +
    '<|fim_pad|> <fim-pad> <fim_pad> <PAD> [PAD] <|fim_repo|> <|repo_name|> <fim-repo> <REPO> <reponame> <|file_sep|>'
  ).split(' '),
);
const looksSpecial = /^(<.+>|\[[A-Z]+\])$/;

/** Empty spellings stand for nothing and would be alike. */
const spellings = (tokens: readonly string[]): readonly string[] =>
  tokens.map((token, id) => (token === '' ? `[EMPTY_${id}]` : token));

const indexOf = (tokens: readonly string[]): ReadonlyMap<string, number> => {
  const ids = new Map<string, number>();
  tokens.forEach((token, id) => {
    const earlier = ids.get(token);
    if (earlier !== undefined)
      throw vocabularyFault(`its tokens ${earlier} and ${id} are both ${JSON.stringify(token.slice(0, 80))}`);
    ids.set(token, id);
  });
  return ids;
};

/** One entry a token, or none at all; more are left out. */
const perToken = (metadata: GgufMetadata, name: string, count: number): readonly number[] | undefined => {
  const list = numbersField(metadata, name);
  if (list === undefined || list.length === count) return list;
  if (list.length > count) return list.slice(0, count);
  throw vocabularyFault(`it has ${count} tokens, but tokenizer.ggml.${name} has ${list.length} entries`);
};

const kindsOf = (metadata: GgufMetadata, tokens: readonly string[]): readonly TokenKind[] => {
  const types = perToken(metadata, 'token_type', tokens.length);
  const named = ['bos', 'eos', 'eot', 'unknown', 'seperator', 'cls', 'mask'];
  const ends = new Set(named.map((name) => idField(metadata, `${name}_token_id`, tokens.length)));
  return tokens.map((token, id) => {
    const kind = kindOfType[types?.[id] ?? 1] ?? 'normal';
    if (kind !== 'normal' && kind !== 'userDefined') return kind;
    return controlSpellings.has(token) || (ends.has(id) && looksSpecial.test(token)) ? 'control' : kind;
  });
};

/** The most that is read; the largest published vocabularies have 260 000. */
const mostTokens = 4_000_000;

/** @throws ModelError TOKENIZER_INVALID */
export const readVocabulary = (metadata: GgufMetadata): GgmlVocabulary => {
  const found = textsField(metadata, 'tokens');
  if (found === undefined || found.length === 0) throw vocabularyFault('it has no tokens');
  if (found.length > mostTokens) throw vocabularyFault(`it has ${found.length} tokens, more than ${mostTokens}`);
  const tokens = spellings(found);
  const scores = perToken(metadata, 'scores', tokens.length);
  return { tokens, kinds: kindsOf(metadata, tokens), scores, idOf: indexOf(tokens) };
};

/** Tokens with a meaning for the model; undefined where there is none. */
export interface Landmarks {
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  readonly unknown: number | undefined;
  readonly separator: number | undefined;
}

/** The ids that the file names, else the usual ones of its kind of vocabulary. */
export const readLandmarks = (
  metadata: GgufMetadata,
  count: number,
  usual: { readonly [K in keyof Landmarks]?: number },
): Landmarks => {
  const id = (name: string, otherwise: number | undefined): number | undefined =>
    idField(metadata, name, count) ?? (otherwise !== undefined && otherwise < count ? otherwise : undefined);
  return {
    bos: id('bos_token_id', idField(metadata, 'cls_token_id', count) ?? usual.bos),
    eos: id('eos_token_id', usual.eos),
    unknown: id('unknown_token_id', usual.unknown),
    // The name is written so in GGUF.
    separator: id('seperator_token_id', usual.separator),
  };
};

/** Whether a prompt gets the token of this role, where the file says so or by default. */
export const wants = (metadata: GgufMetadata, role: 'bos' | 'eos', otherwise: boolean): boolean =>
  flagField(metadata, `add_${role}_token`) ?? otherwise;
