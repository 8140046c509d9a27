import { DebuggerError } from '../../../base/index.js';
import { errorText, toldPlainly, type Told } from '../../i18n/told.js';
import {
  checkExpression,
  completeExpression,
  parseExpression,
  type Completion,
  type KnownSite,
} from '../../../language/index.js';

/** What a text is read as: an expression, one that is true or false, a text with expressions in braces, a count. */
export type TextKind = 'expression' | 'condition' | 'log' | 'hits' | 'sites';

type Saying = { readonly told: Told };

const told = (work: () => void, words: Saying): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof DebuggerError) return errorText(words, error);
    throw error;
  }
};

/** What stands in braces, quotes inside it honoured; as the host reads it. */
const braced = /\{((?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\}/g;

const check = (text: string): void => void checkExpression(parseExpression(text));

/** What is wrong with a text, with the column; undefined where nothing is. An empty one is left out, which is well. */
export const mistakeOf = (kind: TextKind, text: string, words: Saying = { told: toldPlainly }): string | undefined => {
  if (text.trim() === '') return undefined;
  switch (kind) {
    case 'condition':
      return told(() => check(text), words);
    case 'expression':
      return /^weight\s+\S+$/.test(text.trim()) ? undefined : told(() => check(text), words);
    case 'log':
      return [...text.matchAll(braced)]
        .map(([, inside = '']) => told(() => check(inside), words))
        .find((mistake) => mistake !== undefined);
    case 'hits':
      return /^\s*(>=|==?|>|%|)\s*\d{1,9}\s*$/.test(text) ? undefined : '5, >= 5, == 5, > 5, % 5';
    case 'sites':
      return undefined; // the model says whether there are any
  }
};

/** Where the expression begins that a column is in; undefined outside of braces. */
const beginOf = (kind: TextKind, head: string): number | undefined => {
  if (kind === 'expression' || kind === 'condition') return 0;
  if (kind !== 'log') return undefined;
  const open = head.lastIndexOf('{');
  return open >= 0 && !head.slice(open).includes('}') ? open + 1 : undefined;
};

/** At most so many are offered. */
const most = 40;

/** What can be written at the cursor, which is behind so many characters. */
export const offersAt = (
  kind: TextKind,
  { text, cursor }: { readonly text: string; readonly cursor: number },
  sites: readonly KnownSite[],
): readonly Completion[] => {
  const begin = beginOf(kind, text.slice(0, cursor));
  if (begin === undefined) return [];
  const offers = completeExpression(text.slice(begin), cursor - begin + 1, { sites });
  const typed = (offer: Completion): string => text.slice(begin + offer.from - 1, cursor);
  return offers
    .filter((offer) => offer.text !== typed(offer) && typed(offer) !== '')
    .slice(0, most)
    .map((offer) => ({ ...offer, from: offer.from + begin }));
};

/** The text with an offer in it, and where the cursor stands then. */
export const withOffer = (
  { text, cursor }: { readonly text: string; readonly cursor: number },
  { from, text: offered }: Completion,
): { readonly text: string; readonly cursor: number } => {
  const head = text.slice(0, from - 1) + offered;
  return { text: head + text.slice(cursor), cursor: head.length };
};
