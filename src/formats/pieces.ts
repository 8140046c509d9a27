import type { Json } from '../base/index.js';

/** How a vocabulary spells its pieces. */
export interface PieceStyle {
  /** Each byte is written as one of 256 printable characters (GPT-2). */
  readonly byteLevel: boolean;
  /** Bytes outside the vocabulary are tokens `<0xE4>` (Llama). */
  readonly byteFallback: boolean;
  /** What stands for a space: `▁` (SentencePiece). */
  readonly space: string | undefined;
}

/** All parts of a tokenizer.json section, with those inside a Sequence. */
const partsOf = (section: Json | undefined): readonly (readonly [string, Json | undefined])[] => {
  if (typeof section !== 'object' || section === null) return [];
  return [...Object.entries(section), ...Object.values(section).flatMap(partsOf)];
};

/** Which spelling the decoder, or where there is none the pre-tokenizer, undoes. */
export const pieceStyle = (decoder: Json | undefined, preTokenizer: Json | undefined): PieceStyle => {
  const parts = [...partsOf(decoder), ...partsOf(preTokenizer)];
  const has = (type: string): boolean => parts.some(([key, value]) => key === 'type' && value === type);
  const replacement = parts.find(([key]) => key === 'replacement')?.[1];
  const metaspace = has('Metaspace') ? (typeof replacement === 'string' ? replacement : '▁') : undefined;
  const replaced = parts.some(([key, value]) => key === 'String' && value === '▁') ? '▁' : undefined;
  return { byteLevel: has('ByteLevel'), byteFallback: has('ByteFallback'), space: metaspace ?? replaced };
};

const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

/** GPT-2's alphabet: printable bytes stand for themselves, the others are numbered from U+0100. */
const alphabet: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
})();
const byteOf: ReadonlyMap<string, number> = new Map(alphabet.map((character, byte) => [character, byte]));

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');
const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

const isContinuation = (byte: number): boolean => byte >> 6 === 0b10;
/** Bytes that follow the first of a UTF-8 character; none where it cannot be a first. */
const following = (byte: number): number => (byte < 0xc2 || byte > 0xf4 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3);

/** Whole characters as themselves, other bytes as `⟨0xE4⟩`. */
const readableBytes = (bytes: Uint8Array): string => {
  const whole = decodeUtf8(bytes);
  if (whole !== undefined) return whole;
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const character = decodeUtf8(bytes.subarray(at, at + 1 + following(first)));
    text += character ?? `⟨0x${hex(first)}⟩`;
    at += character === undefined ? 1 : 1 + following(first);
  }
  return text;
};

/** The byte that a byte-fallback piece `<0xE4>` stands for. */
const fallbackByte = (piece: string, style: PieceStyle): number | undefined => {
  const digits = style.byteFallback ? /^<0x([0-9A-Fa-f]{2})>$/.exec(piece)?.[1] : undefined;
  return digits === undefined ? undefined : parseInt(digits, 16);
};

/** The bytes of a piece; undefined for one that is spelled in whole characters. */
const pieceBytes = (piece: string, style: PieceStyle): Uint8Array | undefined => {
  if (!style.byteLevel) {
    const byte = fallbackByte(piece, style);
    return byte === undefined ? undefined : Uint8Array.of(byte);
  }
  const bytes = Array.from(piece, (character) => byteOf.get(character));
  // A piece with other characters was never made of bytes: the library takes it literally.
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
};

/** How many of the last pieces hold a character that may go on in the next: it has fewer bytes than its first promises. */
export const unfinishedPieces = (pieces: readonly string[], style: PieceStyle): number => {
  let missing = 0;
  let since = 0;
  pieces.forEach((piece, i) => {
    const bytes = pieceBytes(piece, style);
    if (bytes === undefined) missing = 0;
    else {
      const goesOn = missing > 0 && isContinuation(bytes[0] ?? 0); // with a character that an earlier piece began
      if (!goesOn) since = i;
      for (const byte of bytes) missing = isContinuation(byte) ? Math.max(0, missing - 1) : following(byte);
    }
  });
  return missing > 0 ? pieces.length - since : 0;
};

/** A piece of the vocabulary as readable text. */
export const pieceText = (piece: string, style: PieceStyle): string => {
  const bytes = pieceBytes(piece, style);
  if (bytes) return readableBytes(bytes);
  return style.space === undefined || style.byteLevel ? piece : piece.replaceAll(style.space, ' ');
};

/** A readable text as bytes: what `readableBytes` undoes. */
const bytesOf = (text: string): Uint8Array => {
  const parts = text.split(/(⟨0x[0-9A-F]{2}⟩)/);
  const encode = (part: string): number[] => {
    const digits = /^⟨0x(..)⟩$/.exec(part)?.[1];
    return digits === undefined ? [...new TextEncoder().encode(part)] : [parseInt(digits, 16)];
  };
  return Uint8Array.from(parts.flatMap(encode));
};

/** The spellings that a readable text could have in the vocabulary, the likeliest first. */
export const spellingsOf = (text: string, style: PieceStyle): readonly string[] => {
  if (style.byteLevel) return [Array.from(bytesOf(text), (byte) => alphabet[byte] ?? '').join(''), text];
  const piece = style.space === undefined ? text : text.replaceAll(' ', style.space);
  const bytes = style.byteFallback ? bytesOf(text) : new Uint8Array();
  return [piece, text, ...(bytes.length === 1 ? [`<0x${hex(bytes[0] ?? 0)}>`] : [])];
};
