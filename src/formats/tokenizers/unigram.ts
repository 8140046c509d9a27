import { makePrefixSearch } from './prefix-search.js';
import type { SentencePieceModel } from './sentencepiece-model.js';

/** A piece found in a prepared text, in UTF-16 units of it. */
export interface FoundPiece {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** Cuts a prepared text into pieces. */
export type Segmenter = (text: string) => readonly FoundPiece[];

const unkPenalty = 10;
const smallestFloat = 2 ** -126;
const sizeBytes = (text: string): number => new TextEncoder().encode(text).length;

interface Scores {
  /** By id; undefined for a piece that no text is cut into. */
  readonly ofPiece: readonly (number | undefined)[];
  readonly unk: number;
}

const scoresOf = ({ pieces }: SentencePieceModel): Scores => {
  let [lowest, highest] = [Infinity, smallestFloat]; // the library's own first guess of the highest
  for (const { score, type } of pieces) {
    if (type !== 'normal') continue;
    lowest = Math.min(lowest, score);
    highest = Math.max(highest, score);
  }
  const ofPiece = pieces.map(({ piece, score, type }) => {
    if (type === 'userDefined') return Math.fround(sizeBytes(piece) * highest - 0.1); // so that it mostly wins
    return type === 'normal' ? score : undefined;
  });
  return { ofPiece, unk: Math.fround((lowest === Infinity ? 0 : lowest) - unkPenalty) };
};

/** The best way to each place in the text, as arrays. */
class Lattice {
  readonly scores: Float32Array;
  readonly starts: Int32Array;
  readonly ids: Int32Array;

  constructor(length: number) {
    this.scores = new Float32Array(length + 1);
    this.starts = new Int32Array(length + 1).fill(-1);
    this.ids = new Int32Array(length + 1);
  }

  offer(id: number, [start, end]: readonly [number, number], score: number): void {
    const total = Math.fround((this.scores[start] ?? 0) + score);
    if (this.starts[end] !== -1 && total <= (this.scores[end] ?? 0)) return;
    this.scores[end] = total;
    this.starts[end] = start;
    this.ids[end] = id;
  }

  path(): readonly FoundPiece[] {
    const found: FoundPiece[] = [];
    for (let end = this.starts.length - 1; end > 0;) {
      const start = this.starts[end] ?? 0;
      found.push({ id: this.ids[end] ?? 0, start, end });
      end = start;
    }
    return found.reverse();
  }
}

/**
 * The likeliest pieces of a text.
 * @source Kudo 2018, "Subword Regularization"; sentencepiece 0.2 unigram_model.cc, `Model::EncodeOptimized`: the same
 * sums in float32, the same choice where two are equal
 */
export const makeUnigram = (model: SentencePieceModel): Segmenter => {
  const scores = scoresOf(model);
  const ids = model.pieces.map((_, id) => id).filter((id) => scores.ofPiece[id] !== undefined);
  const search = makePrefixSearch(ids.map((id) => model.pieces[id]?.piece ?? ''));
  return (text) => {
    const lattice = new Lattice(text.length);
    for (let at = 0; at < text.length;) {
      const single = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
      const lengths = new Set<number>();
      search(text, at, (index, length) => {
        const id = ids[index] ?? 0;
        lattice.offer(id, [at, at + length], scores.ofPiece[id] ?? 0);
        lengths.add(length);
      });
      if (!lengths.has(single)) lattice.offer(model.unkId, [at, at + single], scores.unk);
      at += single;
    }
    return lattice.path();
  };
};
