import { UsageError } from '../base/index.js';
import type { Prompt } from '../engine/index.js';
import { readTextFile } from './files.node.js';
import { locateAsync } from './locate.js';
import { needTokenizer, type OpenModel } from './open-model.js';
import type { PromptInput } from '../protocol/index.js';

/** The text of a token, for reading: its piece, or `[id]` where the vocabulary has none. */
export const textOf = (model: OpenModel, id: number): string => model.tokenizer?.tokenText(id) ?? `[${id}]`;

/** A prompt of ids, fed exactly. @throws UsageError ID_OUT_OF_RANGE, PROMPT_EMPTY */
export const promptOfIds = (model: OpenModel, ids: readonly number[]): Prompt => {
  const { vocab } = model.program.facts;
  const wrong = ids.find((id) => !Number.isSafeInteger(id) || id < 0 || id >= vocab);
  if (wrong !== undefined)
    throw new UsageError(`token id ${wrong} is out of range`, {
      code: 'ID_OUT_OF_RANGE',
      hint: `This model's ids go from 0 to ${vocab - 1}.`,
      details: { id: wrong, vocab },
    });
  return checkLength(model, { ids, tokens: ids.map((id) => ({ text: textOf(model, id) })) });
};

const checkLength = (model: OpenModel, prompt: Prompt): Prompt => {
  const longest = model.program.facts.maxPositions;
  if (prompt.ids.length === 0)
    throw new UsageError('the prompt has no tokens', { code: 'PROMPT_EMPTY', hint: 'Give a text, or token ids.' });
  if (longest === undefined || prompt.ids.length <= longest) return prompt;
  const field = ['n_positions', 'max_position_embeddings'].find((f) => f in model.program.config) ?? 'n_positions';
  throw new UsageError(`the prompt has ${prompt.ids.length} tokens, and this model reads at most ${longest}`, {
    code: 'PROMPT_TOO_LONG',
    hint:
      model.program.family === 'gpt2'
        ? 'Shorten the prompt: there are no weights for later positions.'
        : `Shorten the prompt, or go beyond what the model was trained for with --edit 'config ${field} = ${prompt.ids.length}'.`,
    details: { tokens: prompt.ids.length, longest },
  });
};

/** A text as the model gets it: with what the tokenizer's own template adds. */
export const promptOfText = async (model: OpenModel, text: string): Promise<Prompt> => {
  const tokens = await needTokenizer(model).encode(text, { special: true });
  const { ids, tokens: texts } = promptOfIds(
    model,
    tokens.map((t) => t.id),
  );
  return { ids, tokens: texts };
};

const notAPrompt = (): UsageError =>
  new UsageError('not a prompt', {
    code: 'OPTION_INVALID',
    hint: 'Each line is a JSON string, or an object with "prompt" (a text) or "ids" (a list of whole numbers).',
  });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw notAPrompt();
  }
};

/** One line of a file of prompts: a text, or an object with `prompt` or `ids`. */
const promptOfLine = async (model: OpenModel, line: string): Promise<Prompt> => {
  const value = parseJson(line);
  if (typeof value === 'string') return promptOfText(model, value);
  const { prompt, ids } = (typeof value === 'object' && value !== null ? value : {}) as {
    prompt?: unknown;
    ids?: unknown;
  };
  if (typeof prompt === 'string' && ids === undefined) return promptOfText(model, prompt);
  if (prompt === undefined && Array.isArray(ids) && ids.every((id) => typeof id === 'number'))
    return promptOfIds(model, ids);
  throw notAPrompt();
};

/** The prompts of a JSON-lines file. @throws UsageError naming the line */
export const promptsOfFile = async (model: OpenModel, file: string): Promise<readonly Prompt[]> => {
  const lines = (await readTextFile(file)).split(/\r?\n/);
  const prompts: Prompt[] = [];
  for (const [i, line] of lines.entries())
    if (line.trim() !== '') prompts.push(await locateAsync(`${file}, line ${i + 1}`, () => promptOfLine(model, line)));
  if (prompts.length > 0) return prompts;
  throw new UsageError(`${file} holds no prompts`, { code: 'PROMPT_EMPTY', hint: 'Write one JSON string a line.' });
};

/** What the user gave, as prompts: one, or those of a file. Exactly one of the three ways must be given. */
export const promptsOf = async (model: OpenModel, input: PromptInput, edited?: string): Promise<readonly Prompt[]> => {
  const given = [input.prompt, input.ids, input.prompts].filter((x) => x !== undefined).length;
  if (given > 1)
    throw new UsageError('more than one of --prompt, --ids and --prompts is given', {
      code: 'OPTION_INVALID',
      hint: 'Give one of them.',
    });
  if (edited !== undefined) return [await promptOfText(model, edited)];
  if (input.prompt !== undefined) return [await promptOfText(model, input.prompt)];
  if (input.ids !== undefined) return [promptOfIds(model, input.ids)];
  if (input.prompts !== undefined) return promptsOfFile(model, input.prompts);
  throw new UsageError('there is no prompt', {
    code: 'PROMPT_EMPTY',
    hint: 'Give one with --prompt "TEXT", --ids 1,2,3 or --prompts FILE.jsonl.',
  });
};
