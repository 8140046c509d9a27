import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fencesOf, rowsUnder, textsIn } from '../support/markdown.js';
import { root } from '../support/root.js';

const page = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');

/** The paths of the tree; an indent of two stands for a level. Folders end in a slash. */
const treePaths = (): readonly string[] => {
  const above: string[] = [];
  return fencesOf(page, 'tree')
    .join('')
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', name = ''] = /^( *)(\S+)/.exec(line) ?? [];
      if (name === '') return [];
      above.length = indent.length / 2;
      above.push(name.replace(/\/$/, ''));
      return [above.join('/') + (name.endsWith('/') ? '/' : '')];
    });
};

const foldersIn = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const inside = path.posix.join(folder, entry.name);
    return entry.isDirectory() ? [`${inside}/`, ...foldersIn(inside)] : [];
  });

const rules = createRequire(import.meta.url)(path.join(root, '.dependency-cruiser.cjs')) as {
  readonly forbidden: readonly { readonly comment: string }[];
};

describe('docs/architecture.md', () => {
  it('has a tree of what is there', () => {
    expect(treePaths().filter((p) => !existsSync(path.join(root, p)))).toEqual([]);
  });

  it('has every folder of src in its tree', () => {
    const shown = treePaths().filter((p) => p.startsWith('src/') && p !== 'src/' && p.endsWith('/'));
    expect([...shown].sort()).toEqual(foldersIn('src').sort());
  });

  it('says of every line of its tree what it is, except of folders with lines of their own', () => {
    const bare = fencesOf(page, 'tree')
      .join('')
      .split('\n')
      .filter((line) => /^\s*\S+$/.test(line));
    expect(bare.filter((line) => !line.endsWith('/'))).toEqual([]);
  });

  it('lists each folder of src in the row that the rules give it', () => {
    const ruled = new Map(
      rules.forbidden.flatMap(({ comment }) => {
        const [, folder, row] = /^src\/(\S+) is in row (\d+)/.exec(comment) ?? [];
        return folder === undefined ? [] : [[folder, row] as const];
      }),
    );
    const folders = readdirSync(path.join(root, 'src'), { withFileTypes: true }).filter((e) => e.isDirectory());
    const listed = rowsUnder(page, 'Layers').map(([row, folder = '']) => [textsIn(folder)[0]?.replace('/', ''), row]);
    expect(new Map(listed as [string, string][])).toEqual(new Map(folders.map(({ name }) => [name, ruled.get(name)])));
  });
});
