import { readChatTemplate } from '../formats/index.node.js';
import { pictureOf, type Program } from '../graph/index.js';
import type { ModelPicture, ModelReads } from '../protocol/index.js';
import { maskOf } from './masks.js';
import type { OpenModel } from './open-model.js';

/** A model's architecture as it goes out. */
export const pictureView = (program: Program): ModelPicture => {
  const { blocks, forms } = pictureOf(program);
  return {
    blocks: blocks.map((block) => ({ ...block })),
    forms: forms.map(({ parts, output }) => ({ output, parts: parts.map((p) => ({ ...p, inputs: [...p.inputs] })) })),
  };
};

const hasChat = async ({ folder, tokenizer }: OpenModel): Promise<boolean> =>
  tokenizer !== undefined &&
  (folder.chatTemplate ?? (await readChatTemplate(folder.path).catch(() => undefined))) !== undefined;

/** What a model can be given. */
export const readsOf = async (model: OpenModel): Promise<ModelReads> => {
  const { tokenizer, tokenizerError, program, folder } = model;
  const { output, maxPositions } = program.facts;
  const mask = tokenizer && maskOf(tokenizer);
  const numbers = Object.entries(folder.config).filter(([, value]) => typeof value === 'number');
  return {
    tokenizer: tokenizer !== undefined,
    ...(tokenizerError ? { tokenizerError: tokenizerError.message } : {}),
    chat: await hasChat(model),
    ...(mask ? { mask: mask.text } : {}),
    output,
    ...(maxPositions === undefined ? {} : { maxPositions }),
    config: Object.fromEntries(numbers) as Record<string, number>,
  };
};
