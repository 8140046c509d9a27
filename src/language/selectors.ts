import { Scanner, type Source } from './scanner.js';
import { toSiteName, type SiteName } from './sites.js';

/** From and to are both meant; negative ones count from the end. */
export interface IndexRange {
  readonly from: number;
  readonly to: number;
}
/** A position by its token's text; an occurrence counts from 1 and is needed where there are several. */
export interface TokenIndex {
  readonly token: string;
  readonly occurrence?: number | 'last';
}
/** What is chosen along one axis. */
export type Index = number | IndexRange | readonly number[] | TokenIndex;
/** What is chosen, by axis name; of an axis that is left out, all. */
export type Where = Readonly<Record<string, Index>>;

/** A part of a site's value: `blocks.3.attn.pattern[head=2, query=-1]`. */
export interface Selector {
  readonly site: SiteName;
  readonly where: Where;
}

const axisName = /[A-Za-z]\w*/y;
const siteName = /[\w.#]+/y;
const occurrenceMark = /#(?:([1-9]\d{0,14})|last)(?!\w)/y;
const hint = 'Write SITE[axis=VALUE, ...] with VALUE such as 3, -1, 3..7, (1 4 9) or " Paris".';

/** How the text of a selector that stands alone is told about. */
export const selectorSource: Source = { code: 'SELECTOR_SYNTAX', hint };

export const scanSite = (s: Scanner): SiteName => {
  const column = s.column;
  const found = s.take(siteName)?.[0];
  const name = found === undefined ? undefined : toSiteName(found);
  if (name === undefined) throw s.error("a site's name such as blocks.3.attn.z", column);
  return name;
};

/** A token's text, with which occurrence is meant. */
export const scanToken = (s: Scanner): TokenIndex => {
  const token = s.string();
  const mark = s.takeHere(occurrenceMark);
  if (!mark) return { token };
  return { token, occurrence: mark[1] === undefined ? 'last' : Number(mark[1]) };
};

const scanList = (s: Scanner): readonly number[] => {
  const list = [s.integer()];
  while (!s.eat(')')) {
    s.eat(',');
    list.push(s.integer('an integer or `)`'));
  }
  return list;
};

const scanIndex = (s: Scanner): Index => {
  if (s.seesString()) return scanToken(s);
  if (s.eat('(')) return scanList(s);
  const from = s.integer('an integer, a range, a list in round brackets or a text in quotes');
  return s.eat('..') ? { from, to: s.integer() } : from;
};

/** `[axis=VALUE, ...]`, or nothing. */
export const scanWhere = (s: Scanner): Where => {
  const chosen = new Map<string, Index>();
  if (!s.eat('[')) return {};
  do {
    const column = s.column;
    const [axis] = s.expectMatch(axisName, "an axis's name");
    if (chosen.has(axis)) throw s.error(`each axis once, \`${axis}\` is there already`, column);
    s.expect('=');
    chosen.set(axis, scanIndex(s));
  } while (s.eat(','));
  if (!s.eat(']')) throw s.error('`,` or `]`');
  return Object.fromEntries(chosen);
};

/**
 * Reads `SITE[axis=VALUE, ...]`.
 * @throws UsageError SELECTOR_SYNTAX with the column
 */
export const parseSelector = (text: string): Selector => {
  const s = new Scanner(text, selectorSource);
  const selector = { site: scanSite(s), where: scanWhere(s) };
  s.expectEnd();
  return selector;
};

export const formatIndex = (index: Index): string => {
  if (typeof index === 'number') return String(index);
  if ('token' in index)
    return JSON.stringify(index.token) + (index.occurrence === undefined ? '' : `#${index.occurrence}`);
  return 'from' in index ? `${index.from}..${index.to}` : `(${index.join(' ')})`;
};

/** `[axis=VALUE, ...]`; nothing chosen is no text. */
export const formatWhere = (where: Where = {}): string => {
  const parts = Object.entries(where).map(([axis, index]) => `${axis}=${formatIndex(index)}`);
  return parts.length === 0 ? '' : `[${parts.join(', ')}]`;
};

/** The text that `parseSelector` reads back as the same selector. */
export const formatSelector = ({ site, where }: Selector): string => site + formatWhere(where);
