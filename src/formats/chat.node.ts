import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import vm from 'node:vm';
import { ModelError, type JsonObject } from '../base/index.js';
import { namedTokens, renderChat, templateIn, type Chat, type ChatTemplate } from './chat.js';
import { readJsonObject, readSmallFile } from './file.node.js';

const limitBytes = 50_000_000;
const longestMs = 5000;

/**
 * The chat template of a model's folder: chat_template.jinja, or the field of tokenizer_config.json or
 * chat_template.json; undefined where there is none, or where the model is one file.
 * @throws ModelError TOKENIZER_INVALID, FILE_UNREADABLE
 */
export const readChatTemplate = async (folder: string): Promise<ChatTemplate | undefined> => {
  if (!(await stat(folder)).isDirectory()) return undefined;
  const names = new Set(await readdir(folder));
  const read = async (name: string): Promise<JsonObject> =>
    names.has(name) ? readJsonObject(path.join(folder, name), { code: 'TOKENIZER_INVALID', limitBytes }) : {};
  const config = await read('tokenizer_config.json');
  const tokens = { ...namedTokens(await read('special_tokens_map.json')), ...namedTokens(config) };
  const source = names.has('chat_template.jinja')
    ? new TextDecoder().decode(await readSmallFile(path.join(folder, 'chat_template.jinja'), limitBytes))
    : (templateIn(config) ?? templateIn(await read('chat_template.json')));
  return source === undefined ? undefined : { source, tokens };
};

/**
 * `renderChat`, stopped where a template does not come to an end.
 * @throws as `renderChat`; ModelError CHAT_TEMPLATE_INVALID after five seconds
 */
export const renderChatInTime = (template: ChatTemplate, chat: Chat): string => {
  const context = vm.createContext({ render: () => renderChat(template, chat) });
  try {
    return String(vm.runInContext('render()', context, { timeout: longestMs }));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new ModelError(`the model's chat template does not come to an end in ${longestMs / 1000} seconds`, {
      code: 'CHAT_TEMPLATE_INVALID',
      hint: 'Write the prompt out with --prompt.',
      cause: error,
    });
  }
};
