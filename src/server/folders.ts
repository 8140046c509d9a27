import { existsSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../base/index.js';
import type { FolderView } from '../protocol/index.js';

/** Is it a model: a folder with a config, or a GGUF file? */
export const isModel = (file: string): boolean => /\.gguf$/i.test(file) || existsSync(path.join(file, 'config.json'));

/** More than so many entries of a folder are not told. */
const mostEntries = 500;

const refused = (folder: string): UsageError =>
  new UsageError(`the page may not look into ${folder}`, {
    code: 'OPTION_INVALID',
    hint: 'Start cutaway with --folder FOLDER: what is below that folder can be chosen from.',
  });

const unreadable = (folder: string, cause: unknown): UsageError =>
  new UsageError(`${folder} cannot be read`, {
    code: 'FILE_UNREADABLE',
    hint: 'Check that the folder is still there and can be read.',
    cause,
  });

const isInside = (root: string, file: string): boolean => file === root || file.startsWith(withSeparator(root));
const withSeparator = (folder: string): string => (folder.endsWith(path.sep) ? folder : folder + path.sep);

/** Where a name leads in the end, if that is inside the root. */
const placeInside = async (root: string, file: string): Promise<string | undefined> => {
  const real = await realpath(file).catch(() => undefined);
  return real !== undefined && isInside(root, real) ? real : undefined;
};

/**
 * What is in a folder, told to whoever chooses a model. Names that lead out of `root` are refused, links too.
 * @param folder absolute, or from the root on; the root where left out
 * @throws UsageError OPTION_INVALID outside the root, FILE_UNREADABLE
 */
export const browseFolder = async (root: string, folder = ''): Promise<FolderView> => {
  const top = await realpath(root).catch((cause: unknown) => {
    throw unreadable(root, cause);
  });
  const wanted = path.resolve(top, folder);
  if (folder.includes('\0') || !isInside(top, wanted)) throw refused(wanted.replaceAll('\0', '␀'));
  const here = await realpath(wanted).catch((cause: unknown) => {
    throw unreadable(wanted, cause);
  });
  if (!isInside(top, here)) throw refused(wanted);
  const names = await readdir(here).catch((cause: unknown) => {
    throw unreadable(here, cause);
  });
  const shown = names.filter((name) => !name.startsWith('.')).sort();
  const [folders, models]: [string[], FolderView['models']] = [[], []];
  for (const name of shown.slice(0, mostEntries)) {
    const real = await placeInside(top, path.join(here, name));
    if (real === undefined) continue;
    if (isModel(real)) models.push({ name, model: real });
    else if ((await stat(real)).isDirectory()) folders.push(name);
  }
  const parent = here === top ? {} : { parent: path.dirname(here) };
  return { folder: here, ...parent, folders, models, more: shown.length > mostEntries };
};
