import type { Json, JsonObject } from '../base/index.js';
import { isSoundTable } from './precompiled.js';

/** A token that stands outside the model's own pieces. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

/** What is wrong with a tokenizer.json. */
export class TokenizerFault extends Error {}

const fault = (what: string): TokenizerFault => new TokenizerFault(what);

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);

const mostIds = 2 ** 32;
const isId = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < mostIds;

/** The section `added_tokens`. @throws TokenizerFault */
export const addedTokens = (json: JsonObject): readonly AddedToken[] => {
  const section = json['added_tokens'] ?? [];
  if (!Array.isArray(section)) throw fault('added_tokens is no list');
  return listOf(section).map((token) => {
    if (!isObject(token) || !isId(token['id']) || typeof token['content'] !== 'string')
      throw fault('an added token has no id or no content');
    return { id: token['id'], content: token['content'], special: token['special'] === true };
  });
};

/** All objects in a section that have this `type`, those inside a Sequence too. */
const typed = (section: Json | undefined, type: string): readonly JsonObject[] => {
  if (Array.isArray(section)) return listOf(section).flatMap((part) => typed(part, type));
  if (!isObject(section)) return [];
  const own = section['type'] === type ? [section] : [];
  return [...own, ...Object.values(section).flatMap((part) => typed(part, type))];
};

const checkVocab = (model: JsonObject): void => {
  const vocab = model['vocab'];
  if (Array.isArray(vocab)) {
    const scored = (entry: Json): boolean =>
      Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number';
    if (!listOf(vocab).every(scored)) throw fault('the vocabulary has an entry that is no pair of piece and score');
  } else if (!isObject(vocab) || !Object.values(vocab).every(isId)) throw fault('the vocabulary is no table of ids');
};

/** With a prefix for later parts of a word, the library cuts it off each merge's second part unseen. */
const checkMerges = (model: JsonObject): void => {
  const prefix = model['continuing_subword_prefix'];
  if (model['merges'] === undefined || typeof prefix !== 'string' || prefix === '') return;
  for (const merge of listOf(model['merges'])) {
    const second = typeof merge === 'string' ? merge.split(' ')[1] : listOf(merge)[1];
    if (typeof second !== 'string' || !second.startsWith(prefix)) throw fault(`a merge lacks the prefix ${prefix}`);
  }
};

const checkTemplate = (template: JsonObject): void => {
  const known = isObject(template['special_tokens']) ? template['special_tokens'] : {};
  for (const part of [...listOf(template['single']), ...listOf(template['pair'])]) {
    const special = isObject(part) ? part['SpecialToken'] : undefined;
    const id = isObject(special) ? special['id'] : undefined;
    if (typeof id === 'string' && !Object.hasOwn(known, id))
      throw fault(`its template uses ${id} and has no ids for it`);
  }
};

const checkPrecompiled = (normalizer: JsonObject): void => {
  const table = normalizer['precompiled_charsmap'];
  if (typeof table !== 'string' || !isSoundTable(table)) throw fault('its precompiled_charsmap is damaged');
};

/**
 * Checks the outline of a tokenizer.json, and the places where the library would abort the whole process instead of
 * telling: it checks the rest itself.
 * @throws TokenizerFault
 */
export const checkTokenizerJson = (json: JsonObject): void => {
  const model = json['model'];
  if (!isObject(model)) throw fault('it has no model');
  checkVocab(model);
  checkMerges(model);
  addedTokens(json);
  typed(json['post_processor'], 'TemplateProcessing').forEach(checkTemplate);
  typed(json['normalizer'], 'Precompiled').forEach(checkPrecompiled);
  for (const part of typed(json['pre_tokenizer'], 'FixedLength'))
    if (!(typeof part['length'] === 'number' && part['length'] >= 1)) throw fault('a FixedLength is shorter than 1');
};

/**
 * A unigram model finds every piece of its vocabulary in a text: those that are special get a spelling that no text has.
 */
const hidePieces = (model: Json | undefined, specials: ReadonlySet<Json | undefined>): Json | undefined =>
  isObject(model) && Array.isArray(model['vocab'])
    ? {
        ...model,
        vocab: listOf(model['vocab']).map((entry, id) =>
          Array.isArray(entry) && specials.has((entry as readonly Json[])[0])
            ? [`\u{10ffff}${id}`, (entry as readonly Json[])[1] ?? 0]
            : entry,
        ),
      }
    : model;

/** The same tokenizer without its special tokens: their spellings are then plain text. */
export const withoutSpecials = (json: JsonObject): JsonObject => {
  const isSpecial = (token: Json): token is JsonObject => isObject(token) && token['special'] === true;
  const added = listOf(json['added_tokens']);
  const specials = new Set(added.filter(isSpecial).map((token) => token['content']));
  return {
    ...json,
    added_tokens: added.filter((token) => !isSpecial(token)),
    model: hidePieces(json['model'], specials),
  };
};
