import type { JsonObject } from '../../base/index.js';
import type { TokenRole } from '../tokenizer.js';
import type { SpecialTokens } from './special-tokens.js';

/** Which tokens stand before and behind a text. */
export interface Template {
  readonly before: readonly TokenRole[];
  readonly after: readonly TokenRole[];
}

export const noTemplate: Template = { before: [], after: [] };

/** The ids that a template puts before and behind a text; a role without a token puts none. */
export const templateIds = (template: Template, { roles }: SpecialTokens) => {
  const ids = (some: readonly TokenRole[]): readonly number[] =>
    some.map((role) => roles.get(role)).filter((id) => id !== undefined);
  return { before: ids(template.before), after: ids(template.after) };
};

/** A template as the section `post_processor` of a tokenizer.json. */
export const templateJson = (template: Template, { roles, spellings }: SpecialTokens): JsonObject => {
  const tokens = [...template.before, ...template.after].flatMap((role) => {
    const [id, content] = [roles.get(role), spellings.get(role)];
    return id === undefined || content === undefined ? [] : [{ id: content, ids: [id], tokens: [content] }];
  });
  const specials = (some: readonly TokenRole[]): readonly JsonObject[] =>
    some.flatMap((role) => {
      const id = spellings.get(role);
      return id === undefined ? [] : [{ SpecialToken: { id, type_id: 0 } }];
    });
  const around = (id: string): readonly JsonObject[] => [
    ...specials(template.before),
    { Sequence: { id, type_id: 0 } },
    ...specials(template.after),
  ];
  const special_tokens = Object.fromEntries(tokens.map((token) => [token.id, token]));
  return { type: 'TemplateProcessing', single: around('A'), pair: [...around('A'), ...around('B')], special_tokens };
};
