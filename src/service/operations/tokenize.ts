import { UsageError } from '../../base/index.js';
import { openTokenizer } from '../../formats/index.node.js';
import type { TokenizeInput, TokenizeResult } from '../../protocol/index.js';
import { readTextFile } from '../files.node.js';
import type { Operation } from '../operation.js';
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

/** Texts as tokens, with their places. */
export const tokenize: Operation<TokenizeInput, TokenizeResult> = {
  name: 'tokenize',
  help: 'Cuts texts into tokens, each with its id and its place in the text (UTF-16 offsets).',
  async run(input) {
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
