import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ModelError, UsageError, type JsonObject } from '../base/index.js';
import type { ChatTemplate } from './chat.js';
import { readJsonObject, systemCode, unreadable } from './file.node.js';
import { isPickle, pickleRefused } from './pickle.js';
import { openShards } from './shards.node.js';
import type { TokenizerFiles, TokenRole } from './tokenizer.js';
import { tokenizerFilesIn } from './tokenizers/files.node.js';
import type { Weights } from './weights.js';
import { makeWeights, openWeightFile } from './weights.node.js';

/** A model's folder in Hugging Face layout, or a GGUF file that is read as one, open. */
export interface ModelFolder {
  /** Absolute. */
  readonly path: string;
  /** config.json. */
  readonly config: JsonObject;
  /** generation_config.json. */
  readonly generationConfig?: JsonObject;
  readonly weights: Weights;
  /** Left out where there is no vocabulary. */
  readonly tokenizer?: TokenizerFiles;
  /** The content of a tokenizer.json, made from a GGUF file's vocabulary. */
  readonly tokenizerJson?: JsonObject;
  /** The special tokens that a GGUF file names. */
  readonly tokenRoles?: ReadonlyMap<TokenRole, number>;
  /** The chat template that a GGUF file holds. */
  readonly chatTemplate?: ChatTemplate;
  /** What a user should know. */
  readonly notes: readonly string[];
}

const configLimitBytes = 10_000_000;

const notFound = (message: string, hint: string, where: string): UsageError =>
  new UsageError(message, { code: 'MODEL_NOT_FOUND', hint, details: { path: where } });

/** Why a path that is a file cannot be opened as a model. */
const refuseFile = (file: string): UsageError | ModelError => {
  if (isPickle(file)) return pickleRefused(file);
  if (/\.gguf$/i.test(file)) {
    return notFound(`${file} is a GGUF file, not the folder of a model`, 'Open it with `openGguf`.', file);
  }
  const hint = 'Give the folder that holds config.json and the .safetensors files.';
  return notFound(`${file} is a file, not the folder of a model`, hint, file);
};

const filesIn = async (folder: string): Promise<ReadonlySet<string>> => {
  try {
    if (!(await stat(folder)).isDirectory()) throw refuseFile(folder);
    return new Set(await readdir(folder));
  } catch (error) {
    if (error instanceof UsageError || error instanceof ModelError) throw error;
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error))) throw unreadable(folder, error);
    const hint = 'Check the path; nothing is downloaded, so fetch the model first.';
    throw notFound(`there is no folder ${folder}`, hint, folder);
  }
};

const openFolderWeights = async (folder: string, names: ReadonlySet<string>): Promise<Weights> => {
  if (names.has('model.safetensors'))
    return makeWeights([await openWeightFile(path.join(folder, 'model.safetensors'))]);
  if (names.has('model.safetensors.index.json')) return openShards(folder, 'model.safetensors.index.json');
  const pickle = [...names].find(isPickle);
  if (pickle !== undefined) throw pickleRefused(path.join(folder, pickle));
  const others = [...names].filter((name) => name.endsWith('.safetensors'));
  const seen = others.length === 0 ? '' : ` There is ${others.slice(0, 3).join(', ')}, which is another layout.`;
  throw notFound(
    `${folder} holds no weights`,
    `The folder must hold model.safetensors, or model.safetensors.index.json and its shards.${seen}`,
    folder,
  );
};

/** What can be known of a folder without opening the weights. */
const readConfigs = async (folder: string, names: ReadonlySet<string>) => {
  const read = (name: string) =>
    readJsonObject(path.join(folder, name), { code: 'CONFIG_INVALID', limitBytes: configLimitBytes });
  const config = await read('config.json');
  const generation = names.has('generation_config.json') ? await read('generation_config.json') : undefined;
  return { config, ...(generation ? { generationConfig: generation } : {}) };
};

/**
 * Opens a model's folder in Hugging Face layout: config.json, and model.safetensors or shards with an index. Symbolic
 * links, as in the hub's cache, are followed. The weights' headers are read, the weights are not.
 * @throws UsageError MODEL_NOT_FOUND
 * @throws ModelError CONFIG_INVALID, PICKLE_REFUSED, SAFETENSORS_INVALID, TENSOR_MISSING, FILE_UNREADABLE
 */
export const openFolder = async (where: string): Promise<ModelFolder> => {
  const folder = path.resolve(where);
  const names = await filesIn(folder);
  if (!names.has('config.json')) {
    const pickle = [...names].find(isPickle);
    if (pickle !== undefined) throw pickleRefused(path.join(folder, pickle));
    const hint = 'Give the folder that holds config.json and the .safetensors files.';
    throw notFound(`${folder} holds no config.json`, hint, folder);
  }
  const configs = await readConfigs(folder, names);
  const tokenizer = tokenizerFilesIn(folder, names);
  const weights = await openFolderWeights(folder, names);
  const notes = tokenizer ? [] : ['the folder has no vocabulary: prompts are given as ids'];
  return { path: await realpath(folder), ...configs, weights, ...(tokenizer ? { tokenizer } : {}), notes };
};
