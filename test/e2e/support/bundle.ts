import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { build, type Metafile } from 'esbuild';
import { root } from '../../support/root.js';

export interface Bundle {
  readonly code: string;
  /** The files that it is made of, from the repository's root. */
  readonly inputs: readonly string[];
  /** Modules that it asks for when it runs. */
  readonly imports: readonly string[];
}

const importsOf = ({ outputs }: Metafile): string[] =>
  Object.values(outputs).flatMap((output) => output.imports.map((i) => i.path));

/** A module as one script for a browser. Nothing stands in for Node, nothing is left outside. @throws where Node is needed */
const bundle = async (entry: { file: string } | { text: string }): Promise<Bundle> => {
  const { outputFiles, metafile } = await build({
    ...('file' in entry ? { entryPoints: [entry.file] } : { stdin: { contents: entry.text, resolveDir: root } }),
    absWorkingDir: root,
    alias: { 'cutaway/browser': path.join(root, 'src/index.browser.ts') },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const inputs = Object.keys(metafile.inputs).filter((name) => name !== '<stdin>');
  return { code: outputFiles[0]?.text ?? '', inputs, imports: importsOf(metafile) };
};

export const bundlePage = (): Promise<Bundle> => bundle({ file: path.join(root, 'test/e2e/page/page.ts') });

/** Rows 7 and 8 need Node; everything else in `src` is meant for a browser too. */
const nodeFolders = new Set(['service', 'cli', 'server', 'dap', 'mcp', 'web']);

/** The doors of all folders that are meant for a browser, two levels deep. */
export const browserDoors = (): readonly string[] => {
  const folders = (folder: string): string[] =>
    readdirSync(path.join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.posix.join(folder, entry.name));
  const rows = folders('src').filter((folder) => !nodeFolders.has(path.basename(folder)));
  return [...rows, ...rows.flatMap(folders)]
    .flatMap((folder) => [`${folder}/index.ts`, `${folder}/index.browser.ts`])
    .filter((door) => existsSync(path.join(root, door)));
};

/** Everything behind these doors, with nothing left out: each module is kept for what it does when it is loaded. */
export const bundleDoors = (doors: readonly string[]): Promise<Bundle> =>
  bundle({ text: doors.map((door, i) => `export * as door${i} from './${door}';`).join('\n') });

export const bundleText = (text: string): Promise<Bundle> => bundle({ text });
