import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { ModelError, nearest, UsageError } from '../base/index.js';

/** By model, by file: the SHA-256 that the file must have. */
type Hashes = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The folder of the small models that come with the package, from the sources or from a build. */
const zooFolder = (): string | undefined => {
  for (let at = path.dirname(fileURLToPath(import.meta.url)); ; at = path.dirname(at)) {
    const folder = path.join(at, 'zoo', 'models');
    if (existsSync(path.join(folder, 'hashes.json'))) return folder;
    if (path.dirname(at) === at) return undefined;
  }
};

const hashesOf = async (folder: string): Promise<Hashes> =>
  JSON.parse(await readFile(path.join(folder, 'hashes.json'), 'utf8')) as Hashes;

const sha256 = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
};

const damaged = (file: string, cause?: unknown): ModelError =>
  new ModelError(`${file} of the zoo is ${cause === undefined ? 'damaged' : 'missing'}`, {
    code: 'ZOO_DAMAGED',
    hint: 'Install the package again, or in a clone: git checkout -- zoo/models.',
    details: { file },
    cause,
  });

/** Names of the models that come along; none where the zoo is not there. */
export const zooModels = async (): Promise<readonly string[]> => {
  const folder = zooFolder();
  return folder === undefined ? [] : Object.keys(await hashesOf(folder));
};

/** Checks each file of a zoo model. @throws ModelError ZOO_DAMAGED */
const checkFiles = async (folder: string, files: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, expected] of Object.entries(files)) {
    const file = path.join(folder, name);
    const found = await sha256(file).catch((cause: unknown) => {
      throw damaged(file, cause);
    });
    if (found !== expected) throw damaged(file);
  }
};

const unknown = (name: string, names: readonly string[]): UsageError =>
  new UsageError(`the zoo has no model ${JSON.stringify(name)}`, {
    code: 'MODEL_NOT_FOUND',
    hint: `Did you mean zoo:${nearest(name, names)[0] ?? 'world'}? The zoo has ${names.join(', ')}.`,
    details: { name },
  });

/** The case that the first start shows: a prompt that a zoo model gets wrong, and what mends it. */
export interface TourCase {
  readonly model: string;
  readonly prompt: string;
  readonly expected: string;
  readonly wrong: string;
  /** The head that is to blame. */
  readonly layer: number;
  readonly head: number;
  readonly edit: string;
}

/** @throws ModelError ZOO_DAMAGED where the zoo is not there */
export const readTour = async (): Promise<TourCase> => {
  const zoo = zooFolder();
  const file = path.join(zoo ?? 'zoo/models', '..', 'tour.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw damaged(file, cause);
  });
  return JSON.parse(text) as TourCase;
};

const isThere = async (where: string): Promise<boolean> => (await stat(where).catch(() => undefined)) !== undefined;

/**
 * Where a model is: `zoo:world` in the zoo, its files checked; `world` too, unless there is a file or folder of that
 * name; anything else is a path.
 * @param zoo the folder of the zoo
 * @throws UsageError MODEL_NOT_FOUND for an unknown name behind `zoo:`
 * @throws ModelError ZOO_DAMAGED
 */
export const locateModel = async (model: string, zoo: string | undefined = zooFolder()): Promise<string> => {
  const isNamed = model.startsWith('zoo:');
  const name = isNamed ? model.slice('zoo:'.length) : model;
  if (!isNamed && (!/^[a-z-]+$/.test(name) || (await isThere(model)))) return model;
  const hashes = zoo === undefined ? {} : await hashesOf(zoo);
  const files = Object.hasOwn(hashes, name) ? hashes[name] : undefined;
  if (zoo === undefined || !files) {
    if (!isNamed) return model;
    throw unknown(name, Object.keys(hashes));
  }
  await checkFiles(path.join(zoo, name), files);
  return path.join(zoo, name);
};
