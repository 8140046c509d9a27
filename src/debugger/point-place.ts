import { UsageError } from '../base/index.js';
import type { PointSpec } from '../protocol/index.js';

/** Where a breakpoint is, as it is written. `line`: as it was given, whether a run can stand there or not. */
export interface PointPlace extends Pick<PointSpec, 'sites' | 'layers' | 'steps' | 'fed' | 'moment'> {
  readonly line?: number;
}

const wrong = (message: string): UsageError =>
  new UsageError(message, {
    code: 'COMMAND_INVALID',
    hint: 'Write a line or sites, and of these only some: `42 layer 3..5 token 2`, `blocks.*.attn.z token " Paris"`.',
  });

const mostLayers = 1000;

/** `3`, `3..5`, `1,4,6..8` @throws UsageError COMMAND_INVALID */
const numbersIn = (text: string): readonly number[] =>
  text.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('..').map(Number);
    if (to < from || to - from >= mostLayers) throw wrong(`${part} is no range`);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });

/** What a place is made of: each row a pattern, and what it means. */
const parts: readonly (readonly [RegExp, (found: string) => PointPlace])[] = [
  [/\s*layers?\s+(\d{1,6}(?:\.\.\d{1,6})?(?:,\d{1,6}(?:\.\.\d{1,6})?)*)(?=\s|$)/y, (n) => ({ layers: [...numbersIn(n)] })],
  [/\s*token\s*:?\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?=\s|$)/y, (text) => ({ fed: text })],
  [/\s*token\s+(\d{1,9})(?=\s|$)/y, (n) => ({ steps: [Number(n)] })],
  [/\s*(\d{1,9})(?=\s|$)/y, (n) => ({ line: Number(n) })],
  [/\s*(\S.*?)(?=\s+(?:layers?|token)\s|\s*$)/sy, (sites) => ({ sites })],
]; // prettier-ignore

/** Before a line or layers; before sites it is a word of theirs, as of a live process's modules. */
const onWayBack = /^\s*backward(?=\s+(?:\d|layers?\s))/;

/**
 * Reads where a breakpoint is: a line of the listing or sites, and which layers and tokens (the number of a step, or
 * a token's text: before the step that is fed it), each alone or together.
 * @throws UsageError COMMAND_INVALID for what is said twice
 */
export const parsePlace = (text: string): PointPlace => {
  const [moment] = onWayBack.exec(text) ?? [];
  let place: PointPlace = moment === undefined ? {} : { moment: 'backward' };
  for (let at = moment?.length ?? 0; text.slice(at).trim() !== '';) {
    const [found, end] = nextPart(text, at);
    const [twice] = Object.keys(found).filter((key) => key in place);
    if (twice !== undefined) throw wrong(`${text.slice(at).trim()}: there is a place of this kind already`);
    place = { ...place, ...found };
    at = end;
  }
  if (place.line !== undefined && place.sites !== undefined) throw wrong('a line and sites are two places');
  if (place.steps && place.fed !== undefined) throw wrong('a token by its number and one by its text are two places');
  return place;
};

const nextPart = (text: string, at: number): readonly [PointPlace, number] => {
  for (const [pattern, meaning] of parts) {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return [meaning(found), pattern.lastIndex];
  }
  throw wrong(`${text.slice(at).trim()} is no place`);
};
