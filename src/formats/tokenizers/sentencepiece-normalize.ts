import { openTable, type Replacements } from '../precompiled.js';
import { TokenizerFault } from '../tokenizer-json.js';
import type { SentencePieceModel } from './sentencepiece-model.js';
import { makePrefixSearch, type PrefixSearch } from './prefix-search.js';

/** A prepared text; of each of its UTF-16 units the place in the text that was given. */
export interface Normalized {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** A part of the text, and what becomes of it. */
interface Chunk extends Place {
  readonly text: string;
}

/** Cuts a text into the smallest parts that are replaced as one. */
type Chunker = (text: string) => Generator<Chunk>;

export type Normalize = (text: string, options: { readonly continues: boolean }) => Normalized;

const space = '▁';

const bytesOfCodePoint = (codePoint: number): number =>
  codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;

/** A lone surrogate is no character: it is read as U+FFFD. */
const wellFormed = (text: string): string => text.replaceAll(/\p{Surrogate}/gu, '\ufffd');

/** The longest user-defined piece that a text begins with at a place; 0 for none. */
const longestAt = (search: PrefixSearch, text: string, at: number): number => {
  let longest = 0;
  search(text, at, (_, length) => (longest = length));
  return longest;
};

const makeChunker = (userDefined: PrefixSearch, table: Replacements | undefined): Chunker =>
  function* (text) {
    const bytes = table ? new TextEncoder().encode(text) : new Uint8Array();
    let [at, byteAt] = [0, 0];
    const step = (): void => {
      const codePoint = text.codePointAt(at) ?? 0;
      at += codePoint > 0xffff ? 2 : 1;
      byteAt += bytesOfCodePoint(codePoint);
    };
    while (at < text.length) {
      const start = at;
      const kept = longestAt(userDefined, text, at);
      const replaced = kept > 0 ? undefined : table?.(bytes, byteAt);
      const byteEnd = byteAt + (replaced?.sizeBytes ?? 0);
      do step();
      while (kept > 0 ? at < start + kept : byteAt < byteEnd);
      yield { text: replaced ? replaced.text : wellFormed(text.slice(start, at)), start, end: at };
    }
  };

/** Collects the prepared text. */
class Output {
  readonly #text: string[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  push(text: string, { start, end }: Place): void {
    for (let i = 0; i < text.length; i++) {
      this.#text.push(text[i] ?? '');
      this.#starts.push(start);
      this.#ends.push(end);
    }
  }

  endsWithSpace(): boolean {
    return this.#text.at(-1) === space;
  }

  dropLast(): void {
    this.#text.pop();
    this.#starts.pop();
    this.#ends.pop();
  }

  /** Gives the unit at an index the place of another part of the text. */
  move(index: number, { start, end }: Place): void {
    this.#starts[index] = start;
    this.#ends[index] = end;
  }

  get length(): number {
    return this.#text.length;
  }

  done(): Normalized {
    return { text: this.#text.join(''), starts: this.#starts, ends: this.#ends };
  }
}

/**
 * How a model prepares text: its table of replacements, spaces as `▁`, one in front, superfluous ones away.
 * `continues` says that the text goes on after a special token and gets no space in front.
 * @throws TokenizerFault where the table is damaged
 * @source sentencepiece 0.2 normalizer.cc, `Normalizer::Normalize`
 */
export const makeNormalize = ({ normalizer, pieces }: SentencePieceModel): Normalize => {
  const { addDummyPrefix, removeExtraWhitespaces: squeeze } = normalizer;
  const table = normalizer.charsmap.length > 0 ? openTable(normalizer.charsmap) : undefined;
  if (normalizer.charsmap.length > 0 && !table) throw new TokenizerFault('its precompiled_charsmap is damaged');
  if (!normalizer.escapeWhitespaces) throw new TokenizerFault('it leaves spaces as they are, which is not supported');
  const userDefined = pieces.filter(({ type }) => type === 'userDefined').map(({ piece }) => piece);
  const chunks = makeChunker(makePrefixSearch(userDefined), table);

  return (text, { continues }) => {
    const output = new Output();
    let afterSpace = squeeze && !continues;
    let lead: Chunk | undefined; // what the space in front stands for: the last one that was there, else the first character
    let begun = false;
    for (const chunk of chunks(text)) {
      if (!begun && squeeze && !continues && chunk.text === ' ') {
        lead = chunk;
        continue;
      }
      if (!begun && addDummyPrefix && !continues) output.push(space, lead ?? chunk);
      begun = true;
      const kept = afterSpace ? chunk.text.replace(/^ +/, '') : chunk.text;
      if (kept === '') {
        if (chunk.text !== '' && output.length > 1) output.move(output.length - 1, chunk);
        continue;
      }
      if (output.length === 1 && addDummyPrefix && !continues && !lead) output.move(0, chunk);
      output.push(kept.replaceAll(' ', space), chunk);
      afterSpace = squeeze && kept.endsWith(' ');
    }
    while (squeeze && output.endsWithSpace()) output.dropLast();
    return output.done();
  };
};
