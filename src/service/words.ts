import { UsageError } from '../base/index.js';
import type { TokenView, WordInput } from '../protocol/index.js';
import { tokenId } from './experiment.js';
import type { OpenModel } from './open-model.js';
import { textOf, tokensOfText } from './prompts.js';

/**
 * The token that a word is; of a text of several tokens it is told which they are.
 * @throws UsageError AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE, TOKENIZER_MISSING, EDIT_INVALID for a text of no token
 */
export const wordId = async (model: OpenModel, word: WordInput): Promise<number> => {
  if (typeof word === 'number' || model.tokenizer?.idOf(word) !== undefined) return tokenId(model, word);
  const tokens = model.tokenizer ? await tokensOfText(model, word) : [];
  if (tokens.length < 2) return tokens[0]?.id ?? tokenId(model, word);
  const pieces = tokens.slice(0, 8).map((t) => JSON.stringify(t.text));
  throw new UsageError(`${JSON.stringify(word)} is ${tokens.length} tokens: ${pieces.join(' ')}`, {
    code: 'AMBIGUOUS_TOKEN',
    hint: `Give the first, ${pieces[0] ?? ''}, or another word: most begin with a space, as in " Rome".`,
    details: { token: word.slice(0, 60), ids: tokens.slice(0, 8).map((t) => t.id) },
  });
};

/** Words as tokens of a model's vocabulary. @throws UsageError as `wordId` */
export const wordsOf = async (model: OpenModel, words: readonly WordInput[]): Promise<readonly TokenView[]> => {
  const ids = await Promise.all(words.map((word) => wordId(model, word)));
  return ids.map((id) => ({ id, text: textOf(model, id) }));
};
