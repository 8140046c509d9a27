import { makePrefixSearch } from './prefix-search.js';
import type { AddedTokenJson } from './special-tokens.js';

/** A part of a text: a token by its spelling, or text between such. */
export interface TextPart {
  readonly id?: number;
  readonly start: number;
  readonly end: number;
}

const wordBehind = /^[\p{L}\p{N}_]/u;
const wordBefore = /[\p{L}\p{N}_]$/u;

/** Whether a token that must be a word of its own is one here. */
const standsAlone = (text: string, start: number, end: number): boolean =>
  !wordBefore.test(text.slice(Math.max(0, start - 2), start)) && !wordBehind.test(text.slice(end, end + 2));

/** The place of a token with the spaces that it takes. */
const withSpaces = (text: string, token: AddedTokenJson, at: number): readonly [number, number] => {
  let [start, end] = [at, at + token.content.length];
  while (token.lstrip && start > 0 && /\s/.test(text[start - 1] ?? '')) start--;
  while (token.rstrip && end < text.length && /\s/.test(text[end] ?? '')) end++;
  return [start, end];
};

/** Cuts texts at the spellings of tokens, the leftmost first, the longest of those. */
export const splitAtTokens = (tokens: readonly AddedTokenJson[]): ((text: string) => readonly TextPart[]) => {
  const named = tokens.filter(({ content }) => content !== '');
  const search = makePrefixSearch(named.map(({ content }) => content));
  const longestAt = (text: string, at: number): AddedTokenJson | undefined => {
    const found: AddedTokenJson[] = [];
    search(text, at, (index) => found.push(...named.slice(index, index + 1)));
    return found.at(-1);
  };
  return (text) => {
    const parts: TextPart[] = [];
    let done = 0;
    const addText = (end: number): void => {
      if (end > done) parts.push({ start: done, end });
    };
    for (let at = 0; at < text.length;) {
      const token = longestAt(text, at);
      if (!token || (token.single_word && !standsAlone(text, at, at + token.content.length))) {
        at++;
        continue;
      }
      const [start, end] = withSpaces(text, token, at);
      addText(start);
      parts.push({ id: token.id, start: Math.max(start, done), end });
      at = done = end;
    }
    addText(text.length);
    return parts;
  };
};
