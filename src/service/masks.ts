import { ModelError, UsageError } from '../base/index.js';
import type { Tokenizer } from '../formats/index.node.js';
import type { OpenModel } from './open-model.js';

/** How the masks of published models are spelled. */
const spellings = ['[MASK]', '<mask>'];

/** A tokenizer's mask: the token that stands for a word to be found. Undefined where it has none. */
export const maskOf = ({ roles, specials }: Tokenizer): { readonly id: number; readonly text: string } | undefined => {
  const id = roles.get('mask') ?? [...specials].find(([, text]) => spellings.includes(text))?.[0];
  return id === undefined ? undefined : { id, text: specials.get(id) ?? `[${id}]` };
};

/**
 * Refuses a text with a mask where the model says what comes next and its tokenizer knows no mask: it would read
 * the mask's characters as text.
 * @throws UsageError MASK_UNSUPPORTED
 */
export const refuseMask = ({ program, tokenizer }: OpenModel, text: string): void => {
  if (program.facts.output !== 'next' || (tokenizer && maskOf(tokenizer))) return;
  const written = spellings.find((mask) => text.includes(mask));
  if (written === undefined) return;
  throw new UsageError(`the prompt has a mask, ${written}, and ${program.family} fills none: it says what comes next`, {
    code: 'MASK_UNSUPPORTED',
    hint: 'End the prompt where the word is missing, or take a model that fills masks, such as BERT; to have these characters read as text, give their ids with --ids (`cutaway tokenize MODEL --text` tells them).',
    details: { mask: written },
  });
};

/**
 * Checks that a tokenizer's ids of a text are rows of the model's embedding.
 * @throws ModelError ID_OUT_OF_RANGE
 */
export const checkVocabulary = ({ program, tokenizer }: OpenModel, ids: readonly number[]): void => {
  const vocab = program.facts.encoder?.vocab ?? program.facts.vocab;
  const wrong = ids.find((id) => id >= vocab);
  if (wrong === undefined) return;
  const text = tokenizer?.tokenText(wrong) ?? '';
  throw new ModelError(
    `the tokenizer gives ${JSON.stringify(text)} the id ${wrong}, and the model has ids from 0 to ${vocab - 1} only`,
    {
      code: 'ID_OUT_OF_RANGE',
      hint: 'Tokenizer and weights do not belong together, or the vocabulary was extended and the embedding was not: take both from one place.',
      details: { id: wrong, vocab, tokenizerVocab: tokenizer?.vocabSize ?? 0 },
    },
  );
};
