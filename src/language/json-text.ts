import type { Json } from '../base/index.js';
import type { Scanner } from './scanner.js';

const bareWord = /[A-Za-z_][\w./-]*/y;
const jsonWord = /(?:true|false|null)(?![\w./-])/y;
/** Values of JSON in edits are refused beyond this depth. */
export const deepestJson = 32;

export const scanWord = (s: Scanner, expected: string): string => s.expectMatch(bareWord, expected)[0];

const scanObject = (s: Scanner, depth: number): Json => {
  const fields: [string, Json][] = [];
  while (!s.eat('}')) {
    if (fields.length > 0) s.expect(',');
    const key = s.string("a field's name in quotes, or `}`");
    s.expect(':');
    fields.push([key, scanJson(s, depth)]);
  }
  return Object.fromEntries(fields);
};

const scanArray = (s: Scanner, depth: number): Json => {
  const items: Json[] = [];
  while (!s.eat(']')) {
    if (items.length > 0) s.expect(',');
    items.push(scanJson(s, depth));
  }
  return items;
};

/** A value of JSON, at most 32 deep; its strings may stand in single quotes. */
export const scanJson = (s: Scanner, depth = 0): Json => {
  if (depth >= deepestJson) throw s.error(`a value that is at most ${deepestJson} deep`);
  if (s.eat('{')) return scanObject(s, depth + 1);
  if (s.eat('[')) return scanArray(s, depth + 1);
  if (s.seesString()) return s.string();
  const word = s.take(jsonWord)?.[0];
  return word === undefined ? s.number('a value of JSON') : (JSON.parse(word) as Json);
};

/** A value of JSON; a bare word is a text. */
export const scanJsonOrWord = (s: Scanner): Json => {
  if (!s.seesMatch(bareWord) || s.seesMatch(jsonWord)) return scanJson(s);
  return scanWord(s, 'a word');
};
