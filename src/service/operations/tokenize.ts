import { UsageError } from '../../base/index.js';
import { openTokenizer, type Chat } from '../../formats/index.node.js';
import { modelInput, type TokenizeInput, type TokenizeResult } from '../../protocol/index.js';
import { readTextFile } from '../files.node.js';
import { needTokenizer } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { chatText } from '../prompts.js';
import { withModel } from '../with-model.js';
import { locateModel } from '../zoo.node.js';

const textsOf = async (input: TokenizeInput): Promise<readonly string[]> => {
  if (input.file === undefined) return input.texts ?? [];
  if (input.texts !== undefined)
    throw new UsageError('both --text and --file are given', { code: 'OPTION_INVALID', hint: 'Give one of them.' });
  let cases: unknown;
  try {
    cases = JSON.parse(await readTextFile(input.file));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    cases = undefined;
  }
  if (Array.isArray(cases) && cases.every((c) => typeof c === 'string')) return cases;
  throw new UsageError(`${input.file} is not a JSON array of texts`, {
    code: 'OPTION_INVALID',
    hint: 'Write ["first text", "second text"].',
  });
};

/** A conversation as its template writes it, with the tokens that the model reads. @throws UsageError, ModelError CHAT_* */
const chatTokens = (
  { model }: TokenizeInput,
  messages: NonNullable<TokenizeInput['messages']>,
  context: OperationContext,
): Promise<TokenizeResult> =>
  withModel(modelInput.parse({ model }), { context }, async (opened) => {
    const text = await chatText(opened.folder, { messages: messages as Chat['messages'] });
    const tokenizer = needTokenizer(opened);
    const tokens = await tokenizer.encode(text, { special: true, template: false });
    return [{ text, tokens: tokens.map((token) => ({ ...token, special: tokenizer.specials.has(token.id) })) }];
  });

/** Texts as tokens, with their places. */
export const tokenize: Operation<TokenizeInput, TokenizeResult> = {
  name: 'tokenize',
  help: 'Cuts texts into tokens, each with its id and its place in the text (UTF-16 offsets).',
  async run(input, context) {
    if (input.messages) return chatTokens(input, input.messages, context);
    const texts = await textsOf(input);
    if (texts.length === 0 && input.file === undefined)
      throw new UsageError('there is no text', {
        code: 'PROMPT_EMPTY',
        hint: 'Give one with --text, or --file CASES.json.',
      });
    const tokenizer = await openTokenizer(await locateModel(input.model));
    const batches = await tokenizer.encodeBatch(texts, { special: input.special });
    return texts.map((text, i) => ({ text, tokens: [...(batches[i] ?? [])] }));
  },
};
