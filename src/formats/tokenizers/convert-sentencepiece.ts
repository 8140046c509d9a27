import type { JsonObject } from '../../base/index.js';
import { TokenizerFault } from '../tokenizer-json.js';
import type { ConvertedTokenizer, PlacedId } from './converted.js';
import { flag, type Settings } from './settings.js';
import { makeSentencePiece, type PlacedPiece, type SentencePieceEncoder } from './sentencepiece.js';
import { sentencePieceKind, type SentencePieceKind } from './sentencepiece-kinds.js';
import { parseSentencePiece, type SentencePieceModel } from './sentencepiece-model.js';
import { splitAtTokens } from './split-at-tokens.js';
import { specialTokens, type AddedTokenJson, type SpecialTokens } from './special-tokens.js';
import { templateIds, templateJson } from './template.js';

/** Spelling to id in the model, with what a family adds; and the id of a piece that was found. */
export interface PieceIds {
  readonly vocab: ReadonlyMap<string, number>;
  readonly idOf: (piece: PlacedPiece) => number;
}

export interface SentencePieceParts {
  readonly model: SentencePieceModel;
  readonly kind: SentencePieceKind;
  readonly ids: PieceIds;
  readonly settings: Settings;
}

/** T5 has tokens `<extra_id_0>` and so on behind its pieces, counted downwards. */
const extraIds = ({ pieces }: SentencePieceModel, { config }: Settings): readonly string[] => {
  const told = config['extra_ids'] ?? 100;
  if (!Number.isInteger(told) || (told as number) < 0 || (told as number) > 10_000)
    throw new TokenizerFault('extra_ids is no sensible number');
  if (pieces.some(({ piece }) => /^(▁)?<extra_id_\d+>$/.test(piece))) return [];
  return Array.from({ length: told as number }, (_, i) => `<extra_id_${(told as number) - 1 - i}>`);
};

/**
 * The ids of a family: the places in the model, and what is behind them.
 * @source fairseq's dictionary, which XLM-R and mBART kept: `<s>`, `<pad>`, `</s>`, `<unk>`, then SentencePiece's from the fourth on
 */
const idsOf = (model: SentencePieceModel, { name, fairseq }: SentencePieceKind, settings: Settings): PieceIds => {
  const spellings = model.pieces.map(({ piece }) => piece);
  if (!fairseq) {
    const all = [...spellings, ...(name === 't5' ? extraIds(model, settings) : [])];
    return { vocab: new Map(all.map((piece, id) => [piece, id])), idOf: ({ id }) => id };
  }
  const all = ['<s>', '<pad>', '</s>', '<unk>', ...spellings.slice(3), ...fairseq, '<mask>'];
  return { vocab: new Map(all.map((piece, id) => [piece, id])), idOf: ({ id }) => (id === model.unkId ? 3 : id + 1) };
};

/** Special pieces of the model itself are special tokens. */
const controlTokens = ({ model, ids, kind }: SentencePieceParts): readonly AddedTokenJson[] => {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const control = model.pieces.filter(({ type }) => type === 'control' || type === 'unknown').map(({ piece }) => piece);
  const more = kind.name === 't5' ? [...ids.vocab.keys()].filter((piece) => /^<extra_id_\d+>$/.test(piece)) : [];
  const turns = kind.name === 'gemma' ? ['<start_of_turn>', '<end_of_turn>'] : [];
  return [...control, ...more, ...turns, ...(kind.fairseq ?? [])].flatMap((content) => {
    const id = ids.vocab.get(content);
    return id === undefined ? [] : [{ id, content, ...flags }];
  });
};

const addedOf = (parts: SentencePieceParts, specials: SpecialTokens): readonly AddedTokenJson[] => {
  const all = [...controlTokens(parts), ...specials.added];
  return [...new Map(all.map((token) => [token.content, token])).values()].sort((a, b) => a.id - b.id);
};

/** Whether a space is put in front of a text: the file's own word, or that of tokenizer_config.json. */
const withPrefixRule = (model: SentencePieceModel, settings: Settings): SentencePieceModel => {
  const addDummyPrefix = flag(settings, 'add_prefix_space', model.normalizer.addDummyPrefix);
  return { ...model, normalizer: { ...model.normalizer, addDummyPrefix } };
};

const decoder = ({ byteFallback, normalizer }: SentencePieceModel): JsonObject => {
  const prefixed = normalizer.addDummyPrefix;
  if (!byteFallback)
    return { type: 'Metaspace', replacement: '▁', prepend_scheme: prefixed ? 'always' : 'never', split: true };
  const replace = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
  const strip = prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [];
  return { type: 'Sequence', decoders: [replace, { type: 'ByteFallback' }, { type: 'Fuse' }, ...strip] };
};

interface EncoderParts {
  readonly encode: SentencePieceEncoder;
  readonly idOf: (piece: PlacedPiece) => number;
  readonly added: readonly AddedTokenJson[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Only the text's own beginning gets a space in front, not what follows a special token. */
  readonly firstOnly: boolean;
}

/** The whole way from a text to ids: special tokens, pieces between them, the template around. */
const makeEncode = (parts: EncoderParts): ConvertedTokenizer['encode'] => {
  const { encode, idOf, before, after } = parts;
  const whole = splitAtTokens(parts.added);
  const plain = splitAtTokens(parts.added.filter(({ special }) => !special));
  return (text, special) => {
    const at =
      (place: number) =>
      (id: number): PlacedId => ({ id, start: place, end: place });
    const found = (special ? whole : plain)(text).flatMap((part): readonly PlacedId[] => {
      if (part.id !== undefined) return [{ id: part.id, start: part.start, end: part.end }];
      const pieces = encode(text.slice(part.start, part.end), { continues: parts.firstOnly && part.start > 0 });
      return pieces.map((p) => ({ id: idOf(p), start: part.start + p.start, end: part.start + p.end }));
    });
    return special ? [...before.map(at(0)), ...found, ...after.map(at(text.length))] : found;
  };
};

/** A tokenizer of a SentencePiece model whose family and ids are known. */
export const joinSentencePiece = (parts: SentencePieceParts): ConvertedTokenizer => {
  const { kind, settings, ids } = parts;
  const model = withPrefixRule(parts.model, settings);
  const specials = specialTokens(settings, ids.vocab, kind.defaults);
  const added = addedOf(parts, specials);
  const template = kind.template(settings);
  const all = { ...specials, added };
  const vocab = Object.fromEntries([...ids.vocab, ...added.map((token) => [token.content, token.id] as const)]);
  const json = {
    version: '1.0',
    added_tokens: added.map((token) => ({ ...token })),
    normalizer: null,
    pre_tokenizer: null,
    post_processor: templateJson(template, all),
    decoder: decoder(model),
    model: { type: 'WordLevel', vocab, unk_token: model.pieces[model.unkId]?.piece ?? '<unk>' },
  };
  const firstOnly = !flag(settings, 'legacy', true);
  const around = templateIds(template, all);
  const encode = makeEncode({ encode: makeSentencePiece(model), idOf: ids.idOf, added, firstOnly, ...around });
  return { json, roles: specials.roles, ...(encode ? { encode } : {}) };
};

/**
 * A SentencePiece model: T5, Llama, Gemma, XLM-R, mBART, or by itself.
 * @throws TokenizerFault
 */
export const convertSentencePiece = (bytes: Uint8Array, settings: Settings): ConvertedTokenizer => {
  const model = parseSentencePiece(bytes);
  const kind = sentencePieceKind(model, settings);
  return joinSentencePiece({ model, kind, ids: idsOf(model, kind, settings), settings });
};
