import { makePrefixSearch, type PrefixSearch } from './prefix-search.js';
import type { SentencePieceModel } from './sentencepiece-model.js';
import type { FoundPiece, Segmenter } from './unigram.js';

/** A piece so far, in a list linked both ways; an empty one was taken up by its left neighbour. */
interface Symbol {
  text: string;
  readonly start: number;
  left: number;
  right: number;
  /** A user-defined piece: nothing is merged with it. */
  readonly frozen: boolean;
}

/** Two neighbours that could become one. */
interface Merge {
  readonly left: number;
  readonly right: number;
  readonly score: number;
  readonly length: number;
}

/** The better score first, then the one further left. */
const isBefore = (a: Merge, b: Merge): boolean => a.score > b.score || (a.score === b.score && a.left < b.left);

/** A binary heap. */
class Agenda {
  readonly #heap: Merge[] = [];

  push(merge: Merge): void {
    const heap = this.#heap;
    let at = heap.push(merge) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent];
      if (!above || !isBefore(merge, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = merge;
  }

  pop(): Merge | undefined {
    const heap = this.#heap;
    const [first, last] = [heap[0], heap.pop()];
    if (heap.length > 0 && last) this.#sink(last);
    return first;
  }

  #sink(merge: Merge): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left && right && isBefore(right, left)) child++;
      const below = heap[child];
      if (!below || !isBefore(below, merge)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = merge;
  }
}

/** The text as single characters and user-defined pieces. */
const symbolsOf = (text: string, userDefined: PrefixSearch): Symbol[] => {
  const symbols: Symbol[] = [];
  for (let at = 0; at < text.length;) {
    let length = 0;
    userDefined(text, at, (_, found) => (length = found));
    const frozen = length > 0;
    if (!frozen) length = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    const index = symbols.length;
    symbols.push({ text: text.slice(at, at + length), start: at, left: index - 1, right: index + 1, frozen });
    at += length;
  }
  const last = symbols.at(-1);
  if (last) last.right = -1;
  return symbols;
};

interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  readonly model: SentencePieceModel;
}

/** Merges neighbours, best first; of what became an unused piece, `parts` tells from which two. */
const mergeAll = (symbols: Symbol[], { ids, model }: Vocabulary): ReadonlyMap<string, readonly [string, string]> => {
  const agenda = new Agenda();
  const parts = new Map<string, readonly [string, string]>();
  const offer = (left: number, right: number): void => {
    const [a, b] = [symbols[left], symbols[right]];
    if (!a || !b || a.frozen || b.frozen) return;
    const text = a.text + b.text;
    const piece = model.pieces[ids.get(text) ?? -1];
    if (!piece) return;
    agenda.push({ left, right, score: piece.score, length: text.length });
    if (piece.type === 'unused') parts.set(text, [a.text, b.text]);
  };
  for (let i = 1; i < symbols.length; i++) offer(i - 1, i);
  for (let top = agenda.pop(); top; top = agenda.pop()) {
    const [left, right] = [symbols[top.left], symbols[top.right]];
    if (!left || !right || left.text === '' || right.text === '') continue;
    if (left.text.length + right.text.length !== top.length) continue; // one of them has grown meanwhile
    left.text += right.text;
    right.text = '';
    left.right = right.right;
    const next = symbols[right.right];
    if (next) next.left = top.left;
    offer(left.left, top.left);
    offer(top.left, left.right);
  }
  return parts;
};

/**
 * Pieces by merging neighbours, the piece with the best score first.
 * @source Sennrich 2016; sentencepiece 0.2 bpe_model.cc, `Model::SampleEncode` without dropout
 */
export const makeSentencePieceBpe = (model: SentencePieceModel): Segmenter => {
  const isInText = (id: number): boolean => ['normal', 'userDefined', 'unused'].includes(model.pieces[id]?.type ?? '');
  const entries = model.pieces.map(({ piece }, id) => [piece, id] as const).filter(([, id]) => isInText(id));
  const vocabulary: Vocabulary = { ids: new Map(entries), model };
  const userDefined = model.pieces.filter(({ type }) => type === 'userDefined').map(({ piece }) => piece);
  const search = makePrefixSearch(userDefined);
  return (text) => {
    const symbols = symbolsOf(text, search);
    const parts = mergeAll(symbols, vocabulary);
    const found: FoundPiece[] = [];
    const add = (piece: string, start: number): void => {
      const id = vocabulary.ids.get(piece) ?? model.unkId;
      const pair = model.pieces[id]?.type === 'unused' ? parts.get(piece) : undefined;
      if (!pair) {
        found.push({ id, start, end: start + piece.length });
        return;
      }
      add(pair[0], start);
      add(pair[1], start + pair[0].length);
    };
    for (const { text: piece, start } of symbols) if (piece !== '') add(piece, start);
    return found;
  };
};
