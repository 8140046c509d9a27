/** docs/client.md: its code is accepted by the compiler, and prints what the page says, against a real server. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPage, type PageServer } from '../../src/server/index.js';
import { fencesOf } from '../support/markdown.js';
import { root } from '../support/root.js';

const timeout = 90_000;
const page = readFileSync(path.join(root, 'docs/client.md'), 'utf8');
const marker = '--- next part ---';
const code = fencesOf(page, 'ts')
  .map((part) => `${part}console.log(${JSON.stringify(marker)});\n`)
  .join('\n')
  .replaceAll("from 'cutaway/client'", `from ${JSON.stringify(path.join(root, 'src/index.client.js'))}`);

let folder = '';
let server: PageServer;

beforeAll(async () => {
  const cache = path.join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(path.join(cache, 'client-'));
  mkdirSync(path.join(folder, 'web/assets'), { recursive: true });
  writeFileSync(path.join(folder, 'web/index.html'), '<!doctype html><title>page</title>');
  writeFileSync(path.join(folder, 'page.mts'), code);
  server = await startPage({ port: 0, page: path.join(folder, 'web') });
}, timeout);
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const printed = async (): Promise<string> => {
  const env = { ...process.env, CUTAWAY_ADDRESS: server.address, NO_COLOR: '1', FORCE_COLOR: undefined };
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(folder, 'page.mts')], { cwd: root, env });
  let [text, errors] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (errors += piece.toString()));
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect(status, errors).toBe(0);
  return text;
};

describe('docs/client.md', () => {
  it('has code that the compiler accepts', { timeout }, () => {
    const config: unknown = ts.readConfigFile(path.join(root, 'tsconfig.json'), (name) => ts.sys.readFile(name)).config;
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const file = path.join(folder, 'page.mts');
    const program = ts.createProgram([file], options);
    const source = program.getSourceFile(file);
    const problems = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    expect(problems.map((p) => ts.flattenDiagnosticMessageText(p.messageText, '\n'))).toEqual([]);
    expect(source).toBeDefined();
  });

  it('prints what the page says', { timeout }, async () => {
    expect((await printed()).split(`${marker}\n`).slice(0, -1)).toEqual(fencesOf(page, 'text'));
  });
});
