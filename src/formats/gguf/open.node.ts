import { ModelError, UsageError, type JsonObject } from '../../base/index.js';
import { reasonOf, systemCode } from '../file.node.js';
import type { ModelFolder } from '../folder.node.js';
import { ggufWeights } from './gguf-weights.js';
import type { GgufMetadata } from './gguf.js';
import { toHuggingFace } from './model.js';
import { readGguf } from './read.js';
import { openGgufSource } from './source.node.js';
import { chatTemplate, tokenRoles } from './special-tokens.js';
import { ggufTokenizerJson } from './tokenizer/index.js';

/** The vocabulary as a tokenizer.json, or why there is none: the model itself can be run without. */
const tokenizerOf = (
  metadata: GgufMetadata,
  vocab: number,
): Partial<ModelFolder> & { readonly notes: readonly string[] } => {
  let tokenizerJson: JsonObject;
  try {
    tokenizerJson = ggufTokenizerJson(metadata);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { notes: [`its tokenizer cannot be used, so prompts are given as ids: ${error.message}`] };
  }
  const roles = tokenRoles(metadata, vocab);
  const template = chatTemplate(metadata, roles);
  return { tokenizerJson, tokenRoles: roles, ...(template ? { chatTemplate: template } : {}), notes: [] };
};

const notFound = (file: string, cause: unknown): unknown => {
  if (!(cause instanceof ModelError) || !['ENOENT', 'ENOTDIR'].includes(systemCode(cause.info.cause))) return cause;
  return new UsageError(`there is no file ${file}: ${reasonOf(cause.info.cause)}`, {
    code: 'MODEL_NOT_FOUND',
    hint: 'Check the path; nothing is downloaded, so fetch the model first.',
    details: { path: file },
    cause,
  });
};

/**
 * Opens a GGUF file as if it were a model's folder in Hugging Face layout. The header is read, the weights are not.
 * @throws UsageError MODEL_NOT_FOUND
 * @throws ModelError GGUF_INVALID, FAMILY_UNKNOWN, CONFIG_*, TENSOR_*, FILE_UNREADABLE
 */
export const openGguf = async (file: string): Promise<ModelFolder> => {
  const source = await openGgufSource(file).catch((error: unknown) => {
    throw notFound(file, error);
  });
  try {
    const header = await readGguf(source);
    const { config, tensors } = await toHuggingFace(source, header);
    const tokenizer = tokenizerOf(header.metadata, Number(config['vocab_size']));
    return { path: source.path, config, weights: ggufWeights(source, tensors), ...tokenizer };
  } catch (error) {
    await source.close();
    throw error;
  }
};
