import { UsageError } from '../base/index.js';
import type { Prompt } from '../engine/index.js';
import type { EncoderFacts } from '../graph/index.js';
import {
  openTokenizer,
  parseChat,
  readChatTemplate,
  renderChatInTime,
  type Chat,
  type ChatTemplate,
  type EncodeOptions,
  type ModelFolder,
  type Tokenizer,
} from '../formats/index.node.js';
import { parseLine } from './json-lines.js';
import { locateAsync } from './locate.js';
import { readTextFile } from './files.node.js';
import { checkVocabulary, refuseMask } from './masks.js';
import { needTokenizer, type OpenModel } from './open-model.js';
import { checkLength, type Sequence } from './prompt-length.js';
import type { PromptInput, TokenView } from '../protocol/index.js';

/** The text of a token, for reading: its piece, or `[id]` where the vocabulary has none. */
export const textOf = (model: OpenModel, id: number): string => model.tokenizer?.tokenText(id) ?? `[${id}]`;

const views = ({ ids, tokens }: Sequence): TokenView[] => ids.map((id, i) => ({ id, text: tokens[i]?.text ?? '' }));

/** A prompt's tokens in results: of an encoder-decoder those of the source, and the decoder's. */
export const promptView = (prompt: Prompt): { tokens: TokenView[]; target?: TokenView[] } =>
  prompt.source ? { tokens: views(prompt.source), target: views(prompt) } : { tokens: views(prompt) };

/** What an encoder-decoder's decoder begins with after its start token. */
export interface Target {
  readonly text?: string | undefined;
  readonly ids?: readonly number[] | undefined;
}

/** Ids with their texts. @throws UsageError ID_OUT_OF_RANGE */
const sequenceOf = (model: OpenModel, ids: readonly number[], vocab: number): Sequence => {
  const wrong = ids.find((id) => !Number.isSafeInteger(id) || id < 0 || id >= vocab);
  if (wrong !== undefined)
    throw new UsageError(`token id ${wrong} is out of range`, {
      code: 'ID_OUT_OF_RANGE',
      hint: `This model's ids go from 0 to ${vocab - 1}.`,
      details: { id: wrong, vocab },
    });
  return { ids, tokens: ids.map((id) => ({ text: textOf(model, id) })) };
};

const encoded = async (tokenizer: Tokenizer, text: string, options: EncodeOptions): Promise<number[]> =>
  (await tokenizer.encode(text, options)).map((t) => t.id);

/** What cuts a target: in a translation model the vocabulary of the other language. */
export const targetTokenizer = async (model: OpenModel): Promise<Tokenizer> => {
  const files = model.folder.tokenizer;
  const sided = files?.format === 'marian' || files?.format === 'sentencePiece';
  return sided ? openTokenizer(files, { side: 'target' }) : needTokenizer(model);
};

/** The tokens that a text is cut into where the model makes words, none added. @throws UsageError TOKENIZER_MISSING */
export const tokensOfText = async (model: OpenModel, text: string): Promise<readonly TokenView[]> => {
  const tokenizer = model.program.facts.encoder ? await targetTokenizer(model) : needTokenizer(model);
  const tokens = await tokenizer.encode(text, { special: true, template: false });
  return tokens.map(({ id, text: piece }) => ({ id, text: piece }));
};

const refuseTarget = (target: Target | undefined): void => {
  if (target === undefined) return;
  throw new UsageError('a target is given, and this model has no decoder beside an encoder', {
    code: 'OPTION_INVALID',
    hint: 'Leave --target out; to have the model go on from a text, give that as --prompt.',
  });
};

const startField = 'decoder_start_token_id';

/** The token that the decoder begins with: generation_config.json's, unless an edit of the config says another. */
const startOf = ({ program, folder }: OpenModel, { start }: EncoderFacts): number => {
  const own = folder.generationConfig?.[startField];
  const edited = program.config[startField] !== folder.config[startField];
  return edited || typeof own !== 'number' ? start : own;
};

/**
 * A prompt of ids, fed exactly; of an encoder-decoder they are the source.
 * @param target ids that the decoder begins with after its start token
 * @throws UsageError ID_OUT_OF_RANGE, PROMPT_EMPTY, PROMPT_TOO_LONG, OPTION_INVALID
 */
export const promptOfIds = (model: OpenModel, ids: readonly number[], target?: readonly number[]): Prompt => {
  const { vocab, encoder } = model.program.facts;
  if (!encoder) {
    refuseTarget(target && { ids: target });
    return checkLength(model, sequenceOf(model, ids, vocab), 'prompt');
  }
  const source = checkLength(model, sequenceOf(model, ids, encoder.vocab), 'source');
  const own = checkLength(model, sequenceOf(model, [startOf(model, encoder), ...(target ?? [])], vocab), 'target');
  return { ...own, source };
};

/** A prompt of ids, with a target of either form; a text is taken as it is, without what a template would add. */
const withTarget = async (model: OpenModel, ids: readonly number[], target?: Target): Promise<Prompt> => {
  if (!model.program.facts.encoder) refuseTarget(target);
  const { text } = target ?? {};
  if (text === undefined) return promptOfIds(model, ids, target?.ids);
  return promptOfIds(model, ids, await encoded(await targetTokenizer(model), text, { special: false }));
};

/** A text as the model gets it: with what the tokenizer's own template adds. */
export const promptOfText = async (model: OpenModel, text: string, target?: Target): Promise<Prompt> => {
  refuseMask(model, text);
  const ids = await encoded(needTokenizer(model), text, { special: true });
  checkVocabulary(model, ids);
  return withTarget(model, ids, target);
};

/** The model's chat template. @throws UsageError CHAT_TEMPLATE_MISSING; ModelError TOKENIZER_INVALID */
export const needChatTemplate = async ({ chatTemplate, path }: ModelFolder): Promise<ChatTemplate> => {
  const template = chatTemplate ?? (await readChatTemplate(path));
  if (template) return template;
  throw new UsageError('this model has no chat template', {
    code: 'CHAT_TEMPLATE_MISSING',
    hint: 'Give a plain text with --prompt; a template stands in chat_template.jinja or tokenizer_config.json.',
  });
};

/** The text of a conversation, in a file or as messages. @throws UsageError, ModelError CHAT_* */
export const chatText = async (
  folder: ModelFolder,
  given: { readonly file: string } | { readonly messages: Chat['messages'] },
): Promise<string> => {
  const template = await needChatTemplate(folder);
  if ('messages' in given) return renderChatInTime(template, parseChat(JSON.stringify(given.messages)));
  const content = await readTextFile(given.file);
  return locateAsync(given.file, async () => Promise.resolve(renderChatInTime(template, parseChat(content))));
};

/** A conversation, as the model's chat template writes it. @throws UsageError, ModelError CHAT_* */
const promptOfChat = async (
  model: OpenModel,
  given: Parameters<typeof chatText>[1],
  target?: Target,
): Promise<Prompt> => {
  const text = await chatText(model.folder, given);
  const ids = await encoded(needTokenizer(model), text, { special: true, template: false });
  checkVocabulary(model, ids);
  return withTarget(model, ids, target);
};

const eachLine =
  'Each line is a JSON string, or an object with "prompt" (a text) or "ids" (a list of whole numbers), and of an encoder-decoder also "target" (a text) or "targetIds".';

const notAPrompt = (): UsageError => new UsageError('not a prompt', { code: 'OPTION_INVALID', hint: eachLine });

const isIds = (x: unknown): x is number[] => Array.isArray(x) && x.every((id) => typeof id === 'number');

/** The target of a line, or that of the whole request. */
const targetOfLine = ({ target, targetIds }: Readonly<Record<string, unknown>>, given?: Target): Target | undefined => {
  if (target === undefined && targetIds === undefined) return given;
  if (typeof target === 'string' && targetIds === undefined) return { text: target };
  if (target === undefined && isIds(targetIds)) return { ids: targetIds };
  throw notAPrompt();
};

/** One line of a file of prompts: a text, or an object with `prompt` or `ids`. */
const promptOfLine = async (model: OpenModel, line: string, given?: Target): Promise<Prompt> => {
  const value = parseLine(line, eachLine);
  if (typeof value === 'string') return promptOfText(model, value, given);
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const { prompt, ids } = fields;
  const target = targetOfLine(fields, given);
  if (typeof prompt === 'string' && ids === undefined) return promptOfText(model, prompt, target);
  if (prompt === undefined && isIds(ids)) return withTarget(model, ids, target);
  throw notAPrompt();
};

/**
 * The prompts of a JSON-lines file.
 * @param target of the lines that have none
 * @throws UsageError naming the line
 */
export const promptsOfFile = async (model: OpenModel, file: string, target?: Target): Promise<readonly Prompt[]> => {
  const lines = (await readTextFile(file)).split(/\r?\n/);
  const prompts: Prompt[] = [];
  for (const [i, line] of lines.entries())
    if (line.trim() !== '')
      prompts.push(await locateAsync(`${file}, line ${i + 1}`, () => promptOfLine(model, line, target)));
  if (prompts.length > 0) return prompts;
  throw new UsageError(`${file} holds no prompts`, { code: 'PROMPT_EMPTY', hint: 'Write one JSON string a line.' });
};

const onlyOne = (names: string, values: readonly unknown[]): void => {
  if (values.filter((x) => x !== undefined).length <= 1) return;
  throw new UsageError(`more than one of ${names} is given`, { code: 'OPTION_INVALID', hint: 'Give one of them.' });
};

const targetOf = ({ target, targetIds }: PromptInput): Target | undefined => {
  onlyOne('--target and --target-ids', [target, targetIds]);
  return target === undefined && targetIds === undefined ? undefined : { text: target, ids: targetIds };
};

/** What the user gave, as prompts: one, or those of a file. Exactly one of the ways must be given. */
export const promptsOf = async (model: OpenModel, input: PromptInput, edited?: string): Promise<readonly Prompt[]> => {
  const { prompt, ids, prompts, chat, messages } = input;
  onlyOne('--prompt, --ids, --prompts and --chat', [prompt, ids, prompts, chat, messages]);
  const target = targetOf(input);
  const text = edited ?? prompt;
  if (text !== undefined) return [await promptOfText(model, text, target)];
  if (ids !== undefined) return [await withTarget(model, ids, target)];
  if (prompts !== undefined) return promptsOfFile(model, prompts, target);
  if (chat !== undefined) return [await promptOfChat(model, { file: chat }, target)];
  if (messages !== undefined) return [await promptOfChat(model, { messages: messages as Chat['messages'] }, target)];
  const missing = target && model.program.facts.encoder ? 'there is a target and no source' : 'there is no prompt';
  throw new UsageError(missing, {
    code: 'PROMPT_EMPTY',
    hint: `Give ${target ? 'what the encoder reads' : 'one'} with --prompt "TEXT", --ids 1,2,3 or --chat FILE.json.`,
  });
};
