import { access } from 'node:fs/promises';
import path from 'node:path';
import { ModelError } from '../base/index.js';
import { readJsonObject } from './file.node.js';
import type { Weights } from './weights.js';
import { makeWeights, openWeightFile, type OpenWeightFile } from './weights.node.js';

const indexLimitBytes = 100_000_000;

/** A name that cannot lead out of the folder. */
const isPlainName = (name: unknown): name is string =>
  typeof name === 'string' && /^[^/\\\0]+$/.test(name) && name !== '.' && name !== '..' && !/^[a-z]:/i.test(name);

const invalid = (index: string, what: string): ModelError =>
  new ModelError(`${index} ${what}`, {
    code: 'SAFETENSORS_INVALID',
    hint: 'The index is damaged or was edited: take it anew from the place that the model came from.',
    details: { file: index },
  });

/** Which shard each tensor is in, by the index. */
const parseIndex = (index: string, weightMap: unknown): ReadonlyMap<string, string> => {
  if (typeof weightMap !== 'object' || weightMap === null || Array.isArray(weightMap))
    throw invalid(index, 'has no weight_map');
  const entries = Object.entries(weightMap).map(([tensor, shard]: [string, unknown]) => {
    if (isPlainName(shard)) return [tensor, shard] as const;
    throw invalid(index, `names ${JSON.stringify(shard)} as a shard: it must be the name of a file in the same folder`);
  });
  return new Map(entries);
};

const shardMissing = (shard: string, tensor: string): ModelError =>
  new ModelError(`the shard ${shard} is not in the folder`, {
    code: 'TENSOR_MISSING',
    hint: 'The model was not copied or downloaded whole: fetch that file too.',
    details: { file: shard, name: tensor },
  });

const openShard = async (folder: string, shard: string, tensor: string): Promise<OpenWeightFile> => {
  const file = path.join(folder, shard);
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (!there) throw shardMissing(shard, tensor);
  return openWeightFile(file);
};

const openAll = async (
  folder: string,
  shardOf: ReadonlyMap<string, string>,
  opened: Map<string, OpenWeightFile>,
): Promise<Weights> => {
  const listed = new Map<string, OpenWeightFile>();
  for (const [tensor, shard] of shardOf) {
    const file = opened.get(shard) ?? (await openShard(folder, shard, tensor));
    opened.set(shard, file);
    if (!file.tensors.has(tensor))
      throw new ModelError(`the index lists tensor ${tensor} in ${shard}, and it is not there`, {
        code: 'TENSOR_MISSING',
        hint: 'The index and the shards do not belong together: fetch them again from one place.',
        details: { file: shard, name: tensor },
      });
    listed.set(tensor, file);
  }
  return makeWeights([...opened.values()], listed);
};

/**
 * Weights in several files, by an index such as `model.safetensors.index.json`. Tensors that the index leaves out count too.
 * @throws ModelError SAFETENSORS_INVALID, TENSOR_MISSING, FILE_UNREADABLE
 */
export const openShards = async (folder: string, indexName: string): Promise<Weights> => {
  const index = path.join(folder, indexName);
  const parsed = await readJsonObject(index, { code: 'SAFETENSORS_INVALID', limitBytes: indexLimitBytes });
  const shardOf = parseIndex(index, parsed['weight_map']);
  const opened = new Map<string, OpenWeightFile>();
  try {
    return await openAll(folder, shardOf, opened);
  } catch (error) {
    await Promise.all([...opened.values()].map((file) => file.handle.close()));
    throw error;
  }
};
