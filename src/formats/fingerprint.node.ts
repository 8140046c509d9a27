import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../base/index.js';
import type { WeightInfo, Weights } from './weights.js';

/** Fields of a config that do not change what the model computes. */
const irrelevant: ReadonlySet<string> = new Set([
  '_name_or_path',
  'name_or_path',
  'transformers_version',
  'torch_dtype',
  'dtype',
  '_commit_hash',
  '_attn_implementation',
  '_attn_implementation_autoset',
  'use_cache',
  'initializer_range',
]);

/** How much of each end of a tensor counts. */
const endBytes = 64 * 1024;
/** Tensors whose ends are read at the same time. */
const together = 32;

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON with sorted keys, without the fields that do not matter, so that equal configs are equal texts. */
export const normalConfig = (value: Json | undefined): string => {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(normalConfig).join(',')}]`;
  if (!isObject(value)) return typeof value === 'number' ? String(value) : JSON.stringify(value ?? null);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined && !irrelevant.has(key));
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${normalConfig(value[key])}`)
    .join(',')}}`;
};

/** The first and the last bytes of a tensor; all of it once where they meet. */
const readEnds = async (weights: Weights, { name, length }: WeightInfo): Promise<readonly Uint8Array[]> => {
  if (length <= 2 * endBytes) return [await weights.readBytes(name, 0, length)];
  return Promise.all([weights.readBytes(name, 0, endBytes), weights.readBytes(name, length - endBytes, endBytes)]);
};

const byName = (a: WeightInfo, b: WeightInfo): number => (a.name < b.name ? -1 : 1);

/**
 * Which model this is, whatever it is called: SHA-256 over the normalised config, the tensor table, and the first and
 * last 64 KiB of each tensor. How the tensors are laid out in files does not matter.
 * @returns `sha256:` and 64 hexadecimal digits
 * @throws ModelError FILE_UNREADABLE
 */
export const fingerprint = async (model: {
  readonly config: JsonObject;
  readonly weights: Weights;
}): Promise<string> => {
  const { config, weights } = model;
  const infos = weights
    .names()
    .map((name) => weights.info(name))
    .sort(byName);
  const hash = createHash('sha256');
  hash.update(`${normalConfig(config)}\n`);
  hash.update(
    `${JSON.stringify(infos.map(({ name, dtype, shape, encoding }) => [name, dtype, shape, ...(encoding ? [encoding] : [])]))}\n`,
  );
  for (let i = 0; i < infos.length; i += together) {
    const ends = await Promise.all(infos.slice(i, i + together).map((info) => readEnds(weights, info)));
    for (const bytes of ends.flat()) hash.update(bytes);
  }
  return `sha256:${hash.digest('hex')}`;
};
