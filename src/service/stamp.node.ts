import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

const stampOfFile = async (file: string): Promise<string> => {
  const found = await stat(file).catch(() => undefined);
  return found ? `${path.basename(file)} ${found.size} ${found.mtimeMs}` : '';
};

/** What changes when a model's files do: names, sizes and times. Empty where the name is no path. */
export const stampOf = async (model: string): Promise<string> => {
  const names = await readdir(model).catch(() => undefined);
  if (!names) return stampOfFile(model);
  const stamps = await Promise.all(names.sort().map((name) => stampOfFile(path.join(model, name))));
  return stamps.join('\n');
};
