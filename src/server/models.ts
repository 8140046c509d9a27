import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { ModelChoice } from '../protocol/index.js';
import { zooModels } from '../service/index.js';

const isModel = (file: string): boolean => /\.gguf$/i.test(file) || existsSync(path.join(file, 'config.json'));

/** Models that stand in a folder, or the folder itself where it is one. */
const modelsIn = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder).catch(() => []);
  const inside = entries.sort().map((name) => path.join(folder, name));
  return [folder, ...inside].filter(isModel);
};

/** What can be chosen: models of the session, of the folder that was given, and of the zoo. */
export const modelChoices = async (recent: readonly string[], folder?: string): Promise<ModelChoice[]> => {
  const found = folder === undefined ? [] : await modelsIn(path.resolve(folder));
  const all: ModelChoice[] = [
    ...recent.map((model) => ({ model, from: 'recent' as const })),
    ...found.map((model) => ({ model, from: 'folder' as const })),
    ...(await zooModels()).map((name) => ({ model: `zoo:${name}`, from: 'zoo' as const })),
  ];
  return all.filter(({ model }, i) => all.findIndex((other) => other.model === model) === i);
};
