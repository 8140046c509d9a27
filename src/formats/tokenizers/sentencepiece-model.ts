import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { TokenizerFault } from '../tokenizer-json.js';

/** How a piece takes part. @source sentencepiece_model.proto, `SentencePiece.Type` */
export type PieceType = 'normal' | 'unknown' | 'control' | 'userDefined' | 'unused' | 'byte';

export interface Piece {
  /** With `▁` for a space. */
  readonly piece: string;
  readonly score: number;
  readonly type: PieceType;
}

/** How a text is prepared. @source sentencepiece_model.proto, `NormalizerSpec` */
export interface NormalizerSpec {
  /** A compiled table of replacements; empty for none. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** The content of a SentencePiece `.model`. */
export interface SentencePieceModel {
  /** Ids are places in the list. */
  readonly pieces: readonly Piece[];
  readonly algorithm: 'unigram' | 'bpe';
  /** Bytes of unknown characters are tokens `<0xE4>`. */
  readonly byteFallback: boolean;
  readonly unkId: number;
  readonly normalizer: NormalizerSpec;
}

type Field = (reader: BinaryReader, wireType: WireType) => void;

const mostPieces = 2_000_000; // the largest that is published has 1,000,000
const types: readonly PieceType[] = ['normal', 'unknown', 'control', 'userDefined', 'unused', 'byte'];

const fault = (what: string): TokenizerFault => new TokenizerFault(what);
const decodeText = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

const wireTypes = { bytes: WireType.LengthDelimited, varint: WireType.Varint, float: WireType.Bit32 } as const;

/** A field of one wire type; another one is a damaged file. */
const field =
  (wanted: keyof typeof wireTypes, take: (reader: BinaryReader) => void): Field =>
  (reader, wireType) => {
    if (wireType !== wireTypes[wanted]) throw fault('a field has another type than SentencePiece writes');
    take(reader);
  };

/** Reads a message field by field; unknown ones are left out. */
const readMessage = (bytes: Uint8Array, fields: Readonly<Record<number, Field>>): void => {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const known = fields[number];
    if (known) known(reader, wireType);
    else reader.skip(wireType, number);
  }
};

const parsePiece = (bytes: Uint8Array): Piece => {
  let [piece, score, type] = ['', 0, 1];
  readMessage(bytes, {
    1: field('bytes', (reader) => (piece = decodeText(reader.bytes()))),
    2: field('float', (reader) => (score = reader.float())),
    3: field('varint', (reader) => (type = reader.int32())),
  });
  const named = types[type - 1];
  if (piece === '' || !Number.isFinite(score) || named === undefined) throw fault('a piece is empty or damaged');
  return { piece, score, type: named };
};

const parseNormalizer = (bytes: Uint8Array): NormalizerSpec => {
  let charsmap: Uint8Array = new Uint8Array();
  let [addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces] = [true, true, true];
  readMessage(bytes, {
    2: field('bytes', (reader) => (charsmap = reader.bytes())),
    3: field('varint', (reader) => (addDummyPrefix = reader.bool())),
    4: field('varint', (reader) => (removeExtraWhitespaces = reader.bool())),
    5: field('varint', (reader) => (escapeWhitespaces = reader.bool())),
  });
  return { charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces };
};

const parseTrainer = (bytes: Uint8Array): Pick<SentencePieceModel, 'algorithm' | 'byteFallback'> => {
  let [algorithm, byteFallback, suffix, delimiter] = [1, false, false, false];
  readMessage(bytes, {
    3: field('varint', (reader) => (algorithm = reader.int32())),
    24: field('varint', (reader) => (suffix = reader.bool())),
    35: field('varint', (reader) => (byteFallback = reader.bool())),
    53: field('bytes', (reader) => (delimiter = reader.bytes().length > 0)),
  });
  if (suffix || delimiter) throw fault('it marks spaces behind words, or words in another way, which is not supported');
  const named = ([undefined, 'unigram', 'bpe'] as const)[algorithm];
  if (named === undefined) throw fault('it is a vocabulary of words or of characters, not of Unigram or BPE pieces');
  return { algorithm: named, byteFallback };
};

const checkPieces = (pieces: readonly Piece[]): number => {
  if (pieces.length === 0) throw fault('it is no SentencePiece model: it has no pieces');
  if (new Set(pieces.map(({ piece }) => piece)).size < pieces.length) throw fault('a piece stands in it twice');
  const unkId = pieces.findIndex(({ type }) => type === 'unknown');
  if (unkId < 0) throw fault('it has no piece for what is unknown');
  return unkId;
};

/**
 * Reads a SentencePiece model.
 * @throws TokenizerFault
 * @source sentencepiece_model.proto: numbers of fields and their defaults
 */
export const parseSentencePiece = (bytes: Uint8Array): SentencePieceModel => {
  const pieces: Piece[] = [];
  let trainer = parseTrainer(new Uint8Array());
  let normalizer = parseNormalizer(new Uint8Array());
  const addPiece = (reader: BinaryReader): void => {
    if (pieces.push(parsePiece(reader.bytes())) > mostPieces) throw fault(`it has more than ${mostPieces} pieces`);
  };
  try {
    readMessage(bytes, {
      1: field('bytes', addPiece),
      2: field('bytes', (reader) => (trainer = parseTrainer(reader.bytes()))),
      3: field('bytes', (reader) => (normalizer = parseNormalizer(reader.bytes()))),
    });
  } catch (cause) {
    if (cause instanceof TokenizerFault) throw cause;
    throw fault('it is no SentencePiece model, or damaged');
  }
  return { pieces, ...trainer, unkId: checkPieces(pieces), normalizer };
};
