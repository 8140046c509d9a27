import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildPage } from '../../scripts/build-page.js';
import { root } from './root.js';

/** Builds the page from the sources into a folder of its own. @returns the folder, which the caller removes */
export const builtPageFolder = async (): Promise<string> => {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'cutaway-page-')), 'web');
  await buildPage(root, folder);
  return folder;
};
