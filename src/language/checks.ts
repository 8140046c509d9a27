/** Hand-written checks of untrusted JSON: each takes a value and the place where it stands, and gives it back typed. */
import { UsageError, type Json } from '../base/index.js';
import { deepestJson } from './json-text.js';

export type Check<T> = (value: unknown, place: string) => T;

/** The error for a value that is not what it should be; to be thrown. */
export const refusal = (place: string, expected: string): UsageError =>
  new UsageError(`${place} is not ${expected}`, {
    code: 'EDIT_INVALID',
    hint: 'docs/edits.md shows the fields of each edit.',
    details: { place },
  });

const checked =
  <T>(expected: string, good: (value: unknown) => value is T): Check<T> =>
  (value, place) => {
    if (good(value)) return value;
    throw refusal(place, expected);
  };

export const text = checked('a text', (v) => typeof v === 'string');
const finite = checked('a finite number', (v): v is number => typeof v === 'number' && Number.isFinite(v));
const safe = checked('an integer', (v): v is number => Number.isSafeInteger(v));

/** Minus nought is nought. */
const plain = (value: number): number => (value === 0 ? 0 : value);
export const number: Check<number> = (v, place) => plain(finite(v, place));
export const integer: Check<number> = (v, place) => plain(safe(v, place));

export const integerFrom =
  (least: number): Check<number> =>
  (v, place) => {
    const value = integer(v, place);
    if (value >= least) return value;
    throw refusal(place, `an integer from ${least}`);
  };

/** One of some words. */
export const oneOf = <T extends string>(...words: readonly T[]): Check<T> =>
  checked(words.map((w) => `"${w}"`).join(' or '), (v): v is T => words.includes(v as T));

/** A text of which the whole fits a pattern. */
export const matching = (pattern: RegExp, expected: string): Check<string> =>
  checked(expected, (v): v is string => typeof v === 'string' && pattern.test(v));

export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (v, place) =>
    v === undefined ? undefined : check(v, place);

export const listOf =
  <T>(check: Check<T>): Check<readonly T[]> =>
  (v, place) => {
    if (!Array.isArray(v)) throw refusal(place, 'a list');
    return v.map((item, i) => check(item, `${place}[${i}]`));
  };

export const pairOf =
  <T>(check: Check<T>): Check<readonly [T, T]> =>
  (v, place) => {
    const [a, b, ...more] = listOf(check)(v, place);
    if (a === undefined || b === undefined || more.length > 0) throw refusal(place, 'a list of two');
    return [a, b];
  };

export const isRecord = (v: unknown): v is Readonly<Record<string, unknown>> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);

export const record: Check<Readonly<Record<string, unknown>>> = checked('an object', isRecord);

/** A check for each field; those that may be left out take undefined. */
export type Fields<T> = { readonly [K in keyof T]-?: Check<object extends Pick<T, K> ? T[K] | undefined : T[K]> };

const joined = (place: string, field: string): string => (place === '' ? field : `${place}.${field}`);

/** An object with these fields and no others. */
export const object =
  <T extends object>(fields: Fields<T>): Check<T> =>
  (v, place) => {
    const value = record(v, place === '' ? 'the experiment' : place);
    const known = Object.keys(fields);
    const stranger = Object.keys(value).find((key) => !known.includes(key));
    if (stranger !== undefined)
      throw refusal(joined(place, stranger.slice(0, 60)), `a field here: there are ${known.join(', ')}`);
    const checks = fields as Readonly<Record<string, Check<unknown>>>;
    const read = known.map((key) => [
      key,
      checks[key]?.(Object.hasOwn(value, key) ? value[key] : undefined, joined(place, key)),
    ]);
    return Object.fromEntries(read.filter(([, x]) => x !== undefined)) as T;
  };

/** Any value of JSON, at most 32 deep. */
export const json =
  (depth = 0): Check<Json> =>
  (v, place) => {
    if (v === null || typeof v === 'boolean' || typeof v === 'string') return v;
    if (typeof v === 'number') return number(v, place);
    if (depth >= deepestJson) throw refusal(place, `at most ${deepestJson} deep`);
    if (Array.isArray(v)) return v.map((item, i) => json(depth + 1)(item, `${place}[${i}]`));
    const entries = Object.entries(record(v, place));
    return Object.fromEntries(
      entries.map(([key, item]) => [key, json(depth + 1)(item, `${place}.${key.slice(0, 60)}`)]),
    );
  };
