import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../support/root.js';

/** How an editor starts the adapter from the sources. */
export const adapter = {
  command: process.execPath,
  args: ['--import', 'tsx', path.join(root, 'src/cli/main.ts'), 'dap'],
} as const;

/** The model that the configurations of the docs are tried on. */
export const world = path.join(root, 'zoo/models/world');

/** The first block of a language in docs/dap.md, which is what a person copies; it names `world` as its model. */
export const configurationOf = (language: string): string => {
  const page = readFileSync(path.join(root, 'docs/dap.md'), 'utf8');
  const block = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1];
  if (block === undefined) throw new Error(`docs/dap.md has no ${language}`);
  return block.replace('MODEL', world);
};
