import { makeSentencePieceBpe } from './sentencepiece-bpe.js';
import type { SentencePieceModel } from './sentencepiece-model.js';
import { makeNormalize, type Normalized } from './sentencepiece-normalize.js';
import { makeUnigram, type FoundPiece } from './unigram.js';

/** A piece found in a text, in UTF-16 units of the text that was given. */
export interface PlacedPiece {
  readonly id: number;
  /** As it stands in the prepared text: of an unknown one, the characters. */
  readonly surface: string;
  readonly start: number;
  readonly end: number;
}

/** `continues`: the text goes on after a special token and gets no space in front. */
export type SentencePieceEncoder = (text: string, options: { readonly continues: boolean }) => readonly PlacedPiece[];

const placed = ({ id, start, end }: FoundPiece, from: Normalized): PlacedPiece => ({
  id,
  surface: from.text.slice(start, end),
  start: from.starts[start] ?? 0,
  end: from.ends[end - 1] ?? 0,
});

/** Unknown characters that follow one another are one piece. */
const fuseUnknown = (found: readonly FoundPiece[], unkId: number): readonly FoundPiece[] => {
  const fused: FoundPiece[] = [];
  for (const piece of found) {
    const last = fused.at(-1);
    if (last && last.id === unkId && piece.id === unkId) fused[fused.length - 1] = { ...last, end: piece.end };
    else fused.push(piece);
  }
  return fused;
};

const byteSpelling = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

/** Ids of the 256 bytes, where the model has them. */
const byteIds = ({ pieces }: SentencePieceModel): readonly (number | undefined)[] => {
  const ids = new Map(pieces.map(({ piece, type }, id) => [type === 'byte' ? piece : '', id]));
  return Array.from({ length: 256 }, (_, byte) => ids.get(byteSpelling(byte)));
};

/**
 * Cuts texts as the SentencePiece library does: ids and their places.
 * @throws TokenizerFault where the model is damaged
 * @source sentencepiece 0.2 sentencepiece_processor.cc, `PopulateSentencePieceText`
 */
export const makeSentencePiece = (model: SentencePieceModel): SentencePieceEncoder => {
  const normalize = makeNormalize(model);
  const segment = model.algorithm === 'unigram' ? makeUnigram(model) : makeSentencePieceBpe(model);
  const bytes = byteIds(model);
  const inBytes = (piece: PlacedPiece): readonly PlacedPiece[] =>
    piece.id === model.unkId
      ? Array.from(new TextEncoder().encode(piece.surface), (byte) => ({ ...piece, id: bytes[byte] ?? model.unkId }))
      : [piece];
  return (text, options) => {
    const normalized = normalize(text, options);
    const found = segment(normalized.text);
    if (model.byteFallback) return found.flatMap((piece) => inBytes(placed(piece, normalized)));
    return fuseUnknown(found, model.unkId).map((piece) => placed(piece, normalized));
  };
};
