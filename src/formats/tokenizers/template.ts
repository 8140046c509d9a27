import type { JsonObject } from '../../base/index.js';
import type { TokenRole } from '../tokenizer.js';
import type { SpecialTokens } from './special-tokens.js';

/** A token by its role, or by its spelling. */
export type TemplateToken = TokenRole | { readonly spelling: string };

/** Which tokens stand before and behind a text. */
export interface Template {
  readonly before: readonly TemplateToken[];
  readonly after: readonly TemplateToken[];
}

export const noTemplate: Template = { before: [], after: [] };

interface Named {
  readonly id: number;
  readonly content: string;
}

/** A role without a token puts none. */
const named = (tokens: readonly TemplateToken[], { added, spellings }: SpecialTokens): readonly Named[] => {
  const contents = tokens.map((token) => (typeof token === 'string' ? spellings.get(token) : token.spelling));
  return contents.flatMap((content) => added.find((token) => token.content === content) ?? []);
};

/** The ids that a template puts before and behind a text. */
export const templateIds = (template: Template, specials: SpecialTokens) => ({
  before: named(template.before, specials).map(({ id }) => id),
  after: named(template.after, specials).map(({ id }) => id),
});

/** A template as the section `post_processor` of a tokenizer.json. */
export const templateJson = (template: Template, specials: SpecialTokens): JsonObject => {
  const [before, after] = [named(template.before, specials), named(template.after, specials)];
  const part = ({ content }: Named): JsonObject => ({ SpecialToken: { id: content, type_id: 0 } });
  const around = (id: string): readonly JsonObject[] => [
    ...before.map(part),
    { Sequence: { id, type_id: 0 } },
    ...after.map(part),
  ];
  const token = ({ id, content }: Named) => [content, { id: content, ids: [id], tokens: [content] }] as const;
  return {
    type: 'TemplateProcessing',
    single: around('A'),
    pair: [...around('A'), ...around('B')],
    special_tokens: Object.fromEntries([...before, ...after].map(token)),
  };
};
