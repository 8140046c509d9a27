/**
 * Bundles the sources into dist/: `cli.js` (what `cutaway` runs), `index.js` (the library), `browser.js` (what of it
 * runs in a browser) and `client.js` (the client alone), and beside them `web/`, the page.
 * Dependencies stay outside the bundle; what is imported dynamically becomes a chunk of its own and is read on demand.
 * Files appear under their names whole (written beside, then renamed), so a second process may start meanwhile.
 * `--lenient` (the install): a failure is told and is no failure; the first start builds then.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildPage } from './build-page.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');
const staleMs = 24 * 60 * 60 * 1000;

/** What is built: name in dist/ -> source. An entry whose source is not there yet is left out. */
const entries = {
  cli: 'src/cli/main.ts',
  host: 'src/service/host/process.ts',
  'host-worker': 'src/service/host/worker.ts',
  index: 'src/index.ts',
  browser: 'src/index.browser.ts',
  client: 'src/index.client.ts',
};

/** @param {string} file absolute */
const exists = (file) => statSync(file, { throwIfNoEntry: false }) !== undefined;

/** Chunks of older builds, kept a day for processes that still run them. @param {ReadonlySet<string>} fresh */
const removeStale = (fresh) => {
  const chunks = path.join(dist, 'chunks');
  if (!exists(chunks)) return;
  for (const name of readdirSync(chunks)) {
    const file = path.join(chunks, name);
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (!fresh.has(file) && age > staleMs) rmSync(file, { force: true });
  }
};

/** @param {{ path: string; contents: Uint8Array }} output */
const write = (output) => {
  const partial = `${output.path}.${process.pid}.partial`;
  mkdirSync(path.dirname(output.path), { recursive: true });
  writeFileSync(partial, output.contents);
  renameSync(partial, output.path);
};

/**
 * @returns {Promise<void>}
 * @throws when esbuild is not installed, when a source does not parse or when dist/ cannot be written
 */
export const build = async () => {
  const esbuild = await import('esbuild');
  const present = Object.entries(entries).filter(([, source]) => exists(path.join(root, source)));
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(present),
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'linked',
    sourcesContent: false,
    write: false,
    logLevel: 'error',
  });
  const isChunk = (/** @type {string} */ file) => path.basename(path.dirname(file)) === 'chunks';
  const ordered = [...result.outputFiles].sort((a, b) => Number(isChunk(b.path)) - Number(isChunk(a.path)));
  ordered.forEach(write); // chunks first: an entry never names a chunk that is not there
  removeStale(new Set(ordered.map((output) => output.path)));
  await buildPage(root);
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await build();
  } catch (error) {
    if (!process.argv.includes('--lenient')) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`cutaway: not built at install (${reason}); the first start builds it\n`);
  }
}
