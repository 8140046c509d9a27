import path from 'node:path';
import type { ModelChoice } from '../protocol/index.js';
import { zooModels } from '../service/index.js';
import { browseFolder, isModel } from './folders.js';

/** Models that stand in a folder, or the folder itself where it is one. A folder that cannot be read has none. */
const modelsIn = async (folder: string): Promise<readonly string[]> => {
  if (isModel(folder)) return [folder];
  const { models } = await browseFolder(folder).catch(() => ({ models: [] }));
  return models.map(({ model }) => model);
};

/** What can be chosen: models that were open, of the folder that was given, and of the zoo. */
export const modelChoices = async (recent: readonly string[], folder?: string): Promise<ModelChoice[]> => {
  const found = folder === undefined ? [] : await modelsIn(path.resolve(folder));
  const all: ModelChoice[] = [
    ...recent.map((model) => ({ model, from: 'recent' as const })),
    ...found.map((model) => ({ model, from: 'folder' as const })),
    ...(await zooModels()).map((name) => ({ model: `zoo:${name}`, from: 'zoo' as const })),
  ];
  return all.filter(({ model }, i) => all.findIndex((other) => other.model === model) === i);
};
