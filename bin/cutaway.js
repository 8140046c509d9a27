#!/usr/bin/env node
/**
 * Starts Cutaway: runs dist/cli.js in this process. In a clone whose sources are newer than that (or where nothing
 * was built yet) it builds first, and says so on stderr.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bundle = path.join(root, 'dist', 'cli.js');

/** Whether anything that goes into the bundle was changed after `sinceMs`; a folder changes when a file goes. */
const changedSince = (/** @type {number} */ sinceMs) => {
  const isNewer = (/** @type {string} */ file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > sinceMs;
  const source = path.join(root, 'src');
  if (
    ['package.json', 'scripts/build.js', 'scripts/build-page.js', 'src'].some((name) => isNewer(path.join(root, name)))
  )
    return true;
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.endsWith('.test.ts'))
    .some((name) => isNewer(path.join(source, name)));
};

const isClone = existsSync(path.join(root, 'src', 'cli', 'main.ts'));
const builtMs = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs;

/** Builds the bundle, or ends the process with what to do: status 3, as for any fault that is not the caller's. */
const buildOrExit = async () => {
  try {
    const { build } = await import('../scripts/build.js');
    await build();
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0];
    process.stderr.write(`cutaway: the build failed: ${reason}\nRun "npm ci" in ${root}, then "npm run build".\n`);
    process.exit(3);
  }
};

if (isClone && (builtMs === undefined || changedSince(builtMs))) {
  process.stderr.write(`cutaway: building (${builtMs === undefined ? 'first start' : 'the sources changed'})\n`);
  await buildOrExit();
}
await import(pathToFileURL(bundle).href);
