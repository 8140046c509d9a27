import { nearest, UsageError } from '../base/index.js';
import type { Index, TokenIndex, Where } from './selectors.js';

/** The value that a selector is resolved on. */
export interface SelectedValue {
  /** What it is called in errors: a site or a weight. */
  readonly name: string;
  readonly axes: readonly string[];
  /** Extents, as many as axes. */
  readonly shape: readonly number[];
  /** The tokens of the sequence, from position 0: for texts on `position`, `query` and `key`. */
  readonly tokens?: readonly { readonly text: string }[];
  /** The encoder's tokens: for texts on `source`. */
  readonly sourceTokens?: readonly { readonly text: string }[];
  /** The absolute position of index 0 on `position` and `query`: more than 0 in a generation step. */
  readonly offset?: number;
  /** How many positions the run may have in the end; positions that are not reached yet choose nothing. */
  readonly length?: number;
}

/** An axis as its numbers are meant: absolute, of which only start to end (exclusive) are in the value. */
interface Span {
  readonly axis: string;
  readonly start: number;
  readonly end: number;
  /** Numbers below it are allowed. */
  readonly limit: number;
}

const moving = ['position', 'query'];
const positional = ['position', 'query', 'key', 'source'];

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'SELECTOR_INVALID', hint });

const spanOf = (value: SelectedValue, axis: string): Span => {
  const at = value.axes.indexOf(axis);
  if (at < 0) {
    const axes = value.axes.map((a, i) => `${a} (${value.shape[i]})`).join(', ');
    throw invalid(`${value.name} has no axis ${axis}`, `Its axes are ${axes}.`);
  }
  const start = moving.includes(axis) ? (value.offset ?? 0) : 0;
  const end = start + (value.shape[at] ?? 0);
  const grows = positional.includes(axis) && axis !== 'source';
  return { axis, start, end, limit: grows ? Math.max(end, value.length ?? 0) : end };
};

/** A number as it is meant: negative ones from the end. */
const absolute = (index: number, span: Span): number => {
  const number = index < 0 ? span.end + index : index;
  if (number >= 0 && number < span.limit) return number;
  const allowed = span.limit === 0 ? 'it is empty' : `0 to ${span.limit - 1}, or -1 to -${span.end} from the end`;
  throw invalid(
    `${span.axis}=${index} is out of range: the extent of axis ${span.axis} is ${span.limit}`,
    `Choose an index inside: ${allowed}.`,
  );
};

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const positionsOf = ({ token }: TokenIndex, axis: string, value: SelectedValue): number[] => {
  if (!positional.includes(axis))
    throw invalid(
      `axis ${axis} cannot be chosen by a token's text`,
      `Give a number; texts are for ${positional.join(', ')}.`,
    );
  const tokens = (axis === 'source' ? value.sourceTokens : value.tokens) ?? [];
  const found = tokens.flatMap((t, i) => (t.text === token ? [i] : []));
  if (found.length > 0) return found;
  const texts = [...new Set(tokens.map((t) => t.text))];
  const similar = texts.filter((t) => t.trim() === token.trim());
  const near = (similar.length > 0 ? similar : nearest(token, texts)).slice(0, 3).map((t) => JSON.stringify(t));
  throw invalid(
    `no token is ${JSON.stringify(token.slice(0, 60))} on axis ${axis}`,
    near.length === 0 ? 'There are no texts here: give a number.' : `Did you mean ${near.join(' or ')}?`,
  );
};

const occurrenceOf = (index: TokenIndex, axis: string, value: SelectedValue): number => {
  const found = positionsOf(index, axis, value);
  const quoted = JSON.stringify(index.token);
  if (index.occurrence === undefined && found.length > 1)
    throw new UsageError(`${quoted} occurs ${found.length} times, at ${axis} ${found.slice(0, 10).join(', ')}`, {
      code: 'AMBIGUOUS_TOKEN',
      hint: `Say which: ${quoted}#1 is the first, ${quoted}#2 the second, ${quoted}#last the last.`,
      details: { axis, token: index.token, positions: found.slice(0, 10) },
    });
  const position = index.occurrence === 'last' ? found.at(-1) : found[(index.occurrence ?? 1) - 1];
  if (position !== undefined) return position;
  throw invalid(
    `${quoted}#${index.occurrence} is not there`,
    `${quoted} occurs ${found.length} times on axis ${axis}.`,
  );
};

const numbersOf = (index: Index, span: Span, value: SelectedValue): readonly number[] => {
  if (typeof index === 'number') return [absolute(index, span)];
  if ('token' in index) return [occurrenceOf(index, span.axis, value)];
  if (!('from' in index)) return [...new Set(index.map((i) => absolute(i, span)))].sort((a, b) => a - b);
  const [from, to] = [absolute(index.from, span), absolute(index.to, span)];
  if (from > to)
    throw invalid(`the range ${span.axis}=${index.from}..${index.to} is empty`, 'Write the smaller end first.');
  return range(Math.max(from, span.start), Math.min(to, span.end - 1));
};

/**
 * The indices that a selector chooses in a value, by axis, sorted, for the axes that it names; of the others, all.
 * Positions are absolute: those before `offset` or not yet reached are left out, so a list may be empty.
 * @throws UsageError SELECTOR_INVALID, AMBIGUOUS_TOKEN
 */
export const resolveSelector = (where: Where, value: SelectedValue): ReadonlyMap<string, readonly number[]> =>
  new Map(
    Object.entries(where).map(([axis, index]) => {
      const span = spanOf(value, axis);
      const here = numbersOf(index, span, value).filter((n) => n >= span.start && n < span.end);
      return [axis, here.map((n) => n - span.start)];
    }),
  );
