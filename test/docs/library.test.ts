import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import ts from 'typescript';
import { fencesOf } from '../support/markdown.js';
import { root } from '../support/root.js';

const page = readFileSync(path.join(root, 'docs/library.md'), 'utf8');
const marker = '--- next part ---';

/** The page's code as one module that imports the sources. */
const code = fencesOf(page, 'ts')
  .map((part) => `${part}console.log(${JSON.stringify(marker)});\n`)
  .join('\n')
  .replaceAll("from 'cutaway'", `from ${JSON.stringify(path.join(root, 'src/index.js'))}`);

/** Inside the repository, so that the compiler and the loader find its packages. */
const cacheFolder = path.join(root, 'node_modules/.cache');
let folder = '';
let file = '';

beforeAll(() => {
  mkdirSync(cacheFolder, { recursive: true });
  folder = mkdtempSync(path.join(cacheFolder, 'library-'));
  file = path.join(folder, 'page.mts');
  writeFileSync(file, code);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/library.md', () => {
  it('has code that the compiler accepts', { timeout: 60_000 }, () => {
    const config: unknown = ts.readConfigFile(path.join(root, 'tsconfig.json'), (name) => ts.sys.readFile(name)).config;
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const program = ts.createProgram([file], options);
    const source = program.getSourceFile(file);
    const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    expect(problems.map((p) => ts.flattenDiagnosticMessageText(p.messageText, '\n'))).toEqual([]);
    expect(source).toBeDefined();
  });

  it('prints what the page says', { timeout: 60_000 }, () => {
    const args = ['--import', 'tsx', file];
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env });
    expect(status, stderr).toBe(0);
    expect(stdout.split(`${marker}\n`).slice(0, -1)).toEqual(fencesOf(page, 'text'));
  });
});
