import type { ModelFolder } from '../folder.node.js';
import { ggufWeights } from './gguf-weights.js';
import { toHuggingFace } from './model.js';
import { readGguf } from './read.js';
import { openGgufSource } from './source.node.js';

/**
 * Opens a GGUF file as if it were a model's folder in Hugging Face layout. The header is read, the weights are not.
 * @throws ModelError GGUF_INVALID, FAMILY_UNKNOWN, CONFIG_*, TENSOR_*, FILE_UNREADABLE
 */
export const openGguf = async (file: string): Promise<ModelFolder> => {
  const source = await openGgufSource(file);
  try {
    const { config, tensors } = await toHuggingFace(source, await readGguf(source));
    return { path: source.path, config, weights: ggufWeights(source, tensors), notes: [] };
  } catch (error) {
    await source.close();
    throw error;
  }
};
