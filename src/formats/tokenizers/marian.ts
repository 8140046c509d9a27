import { TokenizerFault } from '../tokenizer-json.js';
import { joinSentencePiece } from './convert-sentencepiece.js';
import type { ConvertedTokenizer } from './converted.js';
import type { Settings } from './settings.js';
import { marianKind } from './sentencepiece-kinds.js';
import { parseSentencePiece } from './sentencepiece-model.js';

/** `>>fr<<` at the beginning says into which language. */
const languageCode = /^>>.+<</;

/** A language code at the beginning is one token. */
const withLanguage = (converted: ConvertedTokenizer, vocab: ReadonlyMap<string, number>, unk: number) => {
  const { encode } = converted;
  if (!encode) return converted;
  return {
    ...converted,
    encode: (text: string, special: boolean) => {
      const code = special ? (languageCode.exec(text)?.[0] ?? '') : '';
      const rest = encode(text.slice(code.length), special).map((token) => ({
        ...token,
        start: token.start + code.length,
        end: token.end + code.length,
      }));
      return code === '' ? rest : [{ id: vocab.get(code) ?? unk, start: 0, end: code.length }, ...rest];
    },
  };
};

/**
 * Marian: a SentencePiece model for each side cuts the text, vocab.json numbers the pieces of both.
 * @param bytes content of source.spm or target.spm
 * @param vocab content of vocab.json: spelling to id
 * @throws TokenizerFault
 * @source transformers 4.57 `MarianTokenizer`
 */
export const convertMarian = (
  bytes: Uint8Array,
  vocab: ReadonlyMap<string, number>,
  settings: Settings,
): ConvertedTokenizer => {
  const model = parseSentencePiece(bytes);
  const unk = vocab.get('<unk>');
  if (unk === undefined) throw new TokenizerFault('its vocab.json has no <unk>');
  const idOf = (piece: { readonly id: number; readonly surface: string }): number =>
    vocab.get(piece.id === model.unkId ? piece.surface : (model.pieces[piece.id]?.piece ?? '')) ?? unk;
  const converted = joinSentencePiece({ model, kind: marianKind, ids: { vocab, idOf }, settings });
  return withLanguage(converted, vocab, unk);
};
