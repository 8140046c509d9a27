import { expressionLimits } from './expression.js';
import { expressionFunctions } from './functions.js';

/** A site as completion knows it. */
export interface KnownSite {
  readonly name: string;
  readonly axes: readonly string[];
}

/** What can stand at a place. */
export interface Completion {
  readonly kind: 'function' | 'word' | 'site' | 'axis';
  /** Takes the place of the text from column `from` to the cursor. */
  readonly text: string;
  readonly from: number;
  /** What it means, or a site's axes. */
  readonly detail: string;
}

/** At most so many are offered. */
const most = 100;
const token = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[A-Za-z_][\w.#]*|\s+|[^]/gy;
const identifier = /^[A-Za-z_]/;

/** What stands before the cursor, as far as completion cares. */
interface Place {
  /** The unfinished word. */
  readonly partial: string;
  /** The site in whose selector the cursor is. */
  readonly site?: string;
  /** The last mark before the unfinished word. */
  readonly before: string;
  readonly inText: boolean;
}

const isText = (piece: string): boolean => piece.startsWith('"') || piece.startsWith("'");
const isClosed = (piece: string): boolean => /^(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')$/.test(piece);

const placeOf = (head: string): Place => {
  const pieces = (head.match(token) ?? []).filter((piece, i, all) => piece.trim() !== '' || i === all.length - 1);
  const last = pieces.at(-1) ?? '';
  const partial = identifier.test(last) ? last : '';
  const marks = (partial === '' ? pieces : pieces.slice(0, -1)).filter((piece) => piece.trim() !== '');
  const open = marks.findLastIndex((piece) => piece === '[' || piece === ']');
  const site = marks[open] === '[' ? (marks[open - 1] ?? '') : undefined;
  return {
    partial,
    before: marks.at(-1) ?? '',
    inText: isText(last) && !isClosed(last),
    ...(site === undefined ? {} : { site }),
  };
};

const axesAt = ({ site, before }: Place, sites: readonly KnownSite[]): readonly Omit<Completion, 'from'>[] => {
  if (before !== '[' && before !== ',') return [];
  const axes = sites.find((s) => s.name === site)?.axes ?? [];
  return axes.map((axis) => ({ kind: 'axis', text: `${axis}=`, detail: `axis of ${site ?? ''}` }));
};

const functionsAnd = (sites: readonly KnownSite[]): readonly Omit<Completion, 'from'>[] => [
  ...expressionFunctions.map(({ name, usage, meaning }) =>
    usage.includes('(')
      ? { kind: 'function' as const, text: `${name}(`, detail: `${usage}: ${meaning}` }
      : { kind: 'word' as const, text: name, detail: meaning },
  ),
  ...sites.map(({ name, axes }) => ({ kind: 'site' as const, text: name, detail: axes.join(', ') })),
];

/**
 * What can be written at a column, from 1: functions, words and sites; in a selector its site's axes. The text need not
 * be an expression yet.
 */
export const completeExpression = (
  text: string,
  column: number,
  { sites }: { readonly sites: readonly KnownSite[] },
): readonly Completion[] => {
  const head = text.slice(0, Math.max(0, Math.min(column - 1, expressionLimits.characters)));
  const place = placeOf(head);
  if (place.inText) return [];
  const from = head.length - place.partial.length + 1;
  const all = place.site === undefined ? functionsAnd(sites) : axesAt(place, sites);
  const fitting = all.filter((candidate) => candidate.text.startsWith(place.partial));
  return fitting.slice(0, most).map((candidate) => ({ ...candidate, from }));
};
