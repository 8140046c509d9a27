import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../base/index.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

/** The page as it was built: file by path, `index.html` by the empty path too. */
export type PageFiles = ReadonlyMap<string, { readonly file: string; readonly type: string }>;

/** dist/web, from the sources or from a build. */
export const builtPage = (): string => {
  for (let at = path.dirname(fileURLToPath(import.meta.url)); ; at = path.dirname(at)) {
    const folder = ['dist/web', 'web'].map((name) => path.join(at, name)).find(isPage);
    if (folder !== undefined) return folder;
    if (path.dirname(at) === at)
      throw new EngineError('the page is not built', {
        code: 'PAGE_MISSING',
        hint: 'In a clone run "npm run build"; else install the package again.',
      });
  }
};
/** The source's own folder `web` has no built assets beside its index. */
const isPage = (folder: string): boolean =>
  existsSync(path.join(folder, 'index.html')) && existsSync(path.join(folder, 'assets'));

/** All files of a folder that a page is made of. What is not listed here is never served, whatever a path says. */
export const pageFiles = (folder: string): PageFiles => {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  const known = names.flatMap((name) => {
    const type = types[path.extname(name)];
    return type === undefined
      ? []
      : [[name.split(path.sep).join('/'), { file: path.join(folder, name), type }] as const];
  });
  const index = known.filter(([name]) => name === 'index.html').map(([, entry]) => ['', entry] as const);
  return new Map([...known, ...index]);
};

export const readPageFile = (file: string): Promise<Buffer> => readFile(file);
