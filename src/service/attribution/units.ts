import { UsageError } from '../../base/index.js';
import type { Prompt } from '../../engine/index.js';
import type { AttributedUnit, AttributeInput } from '../../protocol/index.js';
import { maskOf } from '../masks.js';
import type { OpenModel } from '../open-model.js';

/** A unit, with the rows of its tokens among all: those of the source first, then those that the decoder reads. */
export interface Unit extends AttributedUnit {
  readonly rows: readonly number[];
}

/** One token of a text, on its side. */
interface Place {
  readonly side: AttributedUnit['side'];
  readonly position: number;
  readonly text: string;
  readonly special: boolean;
}

const placesOf = (model: OpenModel, { ids, tokens, source }: Prompt): readonly Place[] => {
  const { tokenizer } = model;
  const specials = tokenizer?.specials ?? new Map<number, string>();
  const mask = tokenizer && maskOf(tokenizer)?.id;
  const side = (name: Place['side'], sequence: Pick<Prompt, 'ids' | 'tokens'>, decoder: boolean): Place[] =>
    sequence.ids.map((id, position) => ({
      ...{ side: name, position, text: sequence.tokens[position]?.text ?? '' },
      special: specials.has(id) || id === mask || (decoder && position === 0),
    }));
  if (!source) return side('tokens', { ids, tokens }, false);
  return [...side('tokens', source, false), ...side('target', { ids, tokens }, true)];
};

const unitOf = (places: readonly Place[], rows: readonly number[]): Unit => {
  const own = rows.flatMap((row) => places[row] ?? []);
  return {
    text: own.map((p) => p.text.replace(/^##/, '')).join(''),
    side: own[0]?.side ?? 'tokens',
    positions: own.map((p) => p.position),
    special: own.some((p) => p.special),
    rows,
  };
};

/** Do this vocabulary's words begin with a space? Else pieces that go on with a word begin with `##`. */
const isSpaced = ({ tokenizer }: OpenModel): boolean =>
  [' ', ' a', ' the', ' e', ' t'].some((text) => tokenizer?.idOf(text) !== undefined);

const isLetter = (character: string | undefined): boolean =>
  character !== undefined && /[\p{L}\p{N}'’_-]/u.test(character);

/** Does a token go on with the word of the one before it? */
const goesOn = (before: Place, { text, side, special }: Place, spaced: boolean): boolean => {
  if (before.side !== side || special || before.special) return false;
  if (!spaced) return text.startsWith('##');
  if (/^\s/u.test(text) || (/\s$/u.test(before.text) && before.text.trim() !== '')) return false;
  if (before.text.trim() === '') return true; // a space that stands by itself belongs to what follows
  return isLetter(Array.from(text)[0]) && isLetter(Array.from(before.text).at(-1));
};

const words = (model: OpenModel, places: readonly Place[]): readonly (readonly number[])[] => {
  const spaced = isSpaced(model);
  const groups: number[][] = [];
  places.forEach((place, row) => {
    const before = places[row - 1];
    const last = groups.at(-1);
    if (before && last && goesOn(before, place, spaced)) last.push(row);
    else groups.push([row]);
  });
  return groups;
};

const wrongSpans = (message: string): UsageError =>
  new UsageError(message, {
    code: 'OPTION_INVALID',
    hint: 'Write ranges of positions in the prompt, from 0, as in --spans 0-2,5,7-9.',
  });

/** `0-2,5` as the rows of each span, which do not overlap. @throws UsageError OPTION_INVALID */
const parseSpans = (spans: string, count: number): readonly (readonly number[])[] => {
  const taken = new Set<number>();
  return spans.split(',').map((part) => {
    const [, first = '', last = first] = /^\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*$/.exec(part) ?? [];
    if (first === '') throw wrongSpans(`${JSON.stringify(part)} is no range of positions`);
    const [from, to] = [Number(first), Number(last)];
    if (to < from) throw wrongSpans(`the range ${part.trim()} ends before it begins`);
    if (to >= count) throw wrongSpans(`there are no positions ${part.trim()}: the last is ${count - 1}`);
    const rows = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    for (const row of rows) {
      if (taken.has(row)) throw wrongSpans(`position ${row} is in two spans`);
      taken.add(row);
    }
    return rows;
  });
};

const withSpans = (spans: string, places: readonly Place[]): readonly (readonly number[])[] => {
  const given = parseSpans(spans, places.filter((p) => p.side === 'tokens').length);
  const inside = new Set(given.flat());
  const alone = places.flatMap((_, row) => (inside.has(row) ? [] : [[row]]));
  return [...given, ...alone].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
};

/** What gets a score: tokens, words, or spans. @throws UsageError OPTION_INVALID */
export const unitsOf = (
  model: OpenModel,
  prompt: Prompt,
  { granularity, spans }: Pick<AttributeInput, 'granularity' | 'spans'>,
): readonly Unit[] => {
  const places = placesOf(model, prompt);
  if (spans !== undefined && granularity === 'word')
    throw wrongSpans('--spans says what the units are, and words are others');
  if (granularity === 'span' && spans === undefined) throw wrongSpans('there are no spans');
  const groups =
    spans === undefined
      ? granularity === 'word'
        ? words(model, places)
        : places.map((_, row) => [row])
      : withSpans(spans, places);
  return groups.map((rows) => unitOf(places, rows));
};

/** Can a number that reads scores at this position depend on the unit? Nothing behind it, where models look back only. */
export const isVisible = ({ program }: OpenModel, unit: Unit, position: number | undefined): boolean => {
  if (position === undefined || program.facts.output !== 'next') return true;
  if (program.facts.encoder && unit.side === 'tokens') return true;
  return unit.positions.every((p) => p <= position);
};
