import type { Json, JsonObject } from '../../base/index.js';
import { TokenizerFault } from '../tokenizer-json.js';
import type { TokenRole } from '../tokenizer.js';
import type { Settings } from './settings.js';

export const tokenRoles: readonly TokenRole[] = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'];

/** A spelling that is a token as a whole, and how it is looked for. */
interface SpelledToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A token outside the model's pieces, as the section `added_tokens` of a tokenizer.json has it. */
export interface AddedTokenJson extends SpelledToken {
  readonly id: number;
}

/** The spellings that a kind of tokenizer has unless its files tell others. */
export interface SpecialDefaults {
  readonly roles: Partial<Readonly<Record<TokenRole, string>>>;
  /** Roles whose token takes the spaces before it. */
  readonly lstrip?: readonly TokenRole[];
}

export interface SpecialTokens {
  readonly added: readonly AddedTokenJson[];
  readonly roles: ReadonlyMap<TokenRole, number>;
  /** Spelling by role. */
  readonly spellings: ReadonlyMap<TokenRole, string>;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A token as it is written in these files: its spelling alone, or an object. */
const spelled = (value: Json | undefined, otherwise: Partial<SpelledToken>): SpelledToken | undefined => {
  const object: JsonObject = isObject(value) ? value : { content: value };
  const { content } = object;
  if (typeof content !== 'string' || content === '') return undefined;
  const told = (name: 'single_word' | 'lstrip' | 'rstrip' | 'normalized' | 'special'): boolean => {
    const flag = object[name];
    return typeof flag === 'boolean' ? flag : otherwise[name] === true;
  };
  const strips = { single_word: told('single_word'), lstrip: told('lstrip'), rstrip: told('rstrip') };
  return { content, ...strips, normalized: told('normalized'), special: told('special') };
};

/** special_tokens_map.json counts before tokenizer_config.json, unless that one lists its added tokens itself. */
const sources = ({ config, specialTokensMap }: Settings): readonly JsonObject[] =>
  isObject(config['added_tokens_decoder']) ? [config] : [specialTokensMap, config];

/** What the files write for a name; `null` says that there is none, `undefined` that they do not tell. */
const written = (settings: Settings, name: string): Json | undefined =>
  sources(settings)
    .map((source) => source[name])
    .find((value) => value !== undefined);

const roleTokens = (settings: Settings, defaults: SpecialDefaults): ReadonlyMap<TokenRole, SpelledToken> => {
  const tokens = tokenRoles.map((role) => {
    const value = written(settings, `${role}_token`);
    const token = value === undefined ? defaults.roles[role] : value;
    const lstrip = defaults.lstrip?.includes(role) === true;
    const special = spelled(token, { lstrip });
    return [role, special && { ...special, normalized: false, special: true }] as const;
  });
  return new Map(tokens.filter((entry): entry is [TokenRole, SpelledToken] => entry[1] !== undefined));
};

/** The spellings of roles, as far as the files tell. */
export const writtenRoles = (settings: Settings): ReadonlyMap<TokenRole, string> =>
  new Map([...roleTokens(settings, { roles: {} })].map(([role, { content }]) => [role, content]));

const moreSpecials = (settings: Settings): readonly SpelledToken[] =>
  ['additional_special_tokens', 'extra_special_tokens'].flatMap((name) => {
    const value = written(settings, name);
    const list = Array.isArray(value) ? (value as readonly Json[]) : isObject(value) ? Object.values(value) : [];
    return list.flatMap((token) => {
      const special = spelled(token, {});
      return special ? [{ ...special, normalized: false, special: true }] : [];
    });
  });

const idOf = (id: unknown, content: string): number => {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 32) return id as number;
  throw new TokenizerFault(`the added token ${content} has no usable id`);
};

/** Tokens that the files give with their ids. */
const numbered = ({ config, addedTokens }: Settings): ReadonlyMap<string, { id: number; token?: SpelledToken }> => {
  const found = new Map<string, { id: number; token?: SpelledToken }>();
  for (const [content, id] of Object.entries(addedTokens)) found.set(content, { id: idOf(id, content) });
  const decoder = isObject(config['added_tokens_decoder']) ? config['added_tokens_decoder'] : {};
  for (const [id, value] of Object.entries(decoder)) {
    const token = spelled(value, {});
    if (token) found.set(token.content, { id: idOf(Number(id), token.content), token });
  }
  return found;
};

/** Ids for tokens that the vocabulary lacks: after its last. */
const makeNumbers = (vocab: ReadonlyMap<string, number>, given: Iterable<{ readonly id: number }>) => {
  let next = 0;
  for (const id of vocab.values()) next = Math.max(next, id + 1);
  for (const { id } of given) next = Math.max(next, id + 1);
  return () => next++;
};

/**
 * The tokens outside the model's own pieces, with ids: the vocabulary's, else the files', else new ones at the end.
 * @throws TokenizerFault
 * @source transformers 4.57 `PreTrainedTokenizerBase._from_pretrained`: which file counts before which
 */
export const specialTokens = (
  settings: Settings,
  vocab: ReadonlyMap<string, number>,
  defaults: SpecialDefaults,
): SpecialTokens => {
  const roles = roleTokens(settings, defaults);
  const given = numbered(settings);
  const specials = new Map([...roles.values(), ...moreSpecials(settings)].map((token) => [token.content, token]));
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
  const next = makeNumbers(vocab, given.values());
  const added = [...new Set([...given.keys(), ...specials.keys()])].map((content): AddedTokenJson => {
    const known = given.get(content);
    const token = known?.token ?? specials.get(content) ?? { ...plain, content };
    return { id: vocab.get(content) ?? known?.id ?? next(), ...token, special: token.special || specials.has(content) };
  });
  const ids = new Map(added.map((token) => [token.content, token.id]));
  return {
    added: added.sort((a, b) => a.id - b.id),
    roles: new Map([...roles].map(([role, { content }]) => [role, ids.get(content) ?? 0])),
    spellings: new Map([...roles].map(([role, { content }]) => [role, content])),
  };
};
