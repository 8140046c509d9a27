/**
 * Builds the page, src/web, into dist/web: beside it first, then in its place, so that a server that starts meanwhile
 * finds one or the other whole. What is newer than all that it is made of is not built again.
 */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

/** Puts a folder in another's place; a process that builds at the same time may win. @param {string} made @param {string} target */
const replace = (made, target) => {
  const old = `${target}.${process.pid}.old`;
  try {
    if (existsSync(target)) renameSync(target, old);
    renameSync(made, target);
  } catch (error) {
    if (!existsSync(path.join(target, 'index.html'))) throw error;
  } finally {
    for (const folder of [old, made]) rmSync(folder, { recursive: true, force: true });
  }
};

/** What the page is made of. */
const inputs = ['src/web', 'src/base', 'src/tensor', 'src/language', 'src/protocol', 'src/client'].concat([
  ...['scripts/build-page.js', 'package.json'],
]);

/** Is the built page newer than all that it is made of? @param {string} root @param {string} target */
const isFresh = (root, target) => {
  const madeMs = statSync(path.join(target, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isOlder = (/** @type {string} */ file) => (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) < madeMs;
  return inputs.every((name) => {
    const place = path.join(root, name);
    const inside = statSync(place, { throwIfNoEntry: false })?.isDirectory()
      ? readdirSync(place, { recursive: true, encoding: 'utf8' })
      : [];
    return isOlder(place) && inside.every((file) => isOlder(path.join(place, file)));
  });
};

/**
 * @param {string} root the repository's
 * @param {string} [target] where the page goes
 * @returns {Promise<void>}
 * @throws when vite is not installed or a source does not compile
 */
export const buildPage = async (root, target = path.join(root, 'dist/web')) => {
  const source = path.join(root, 'src/web');
  if (!existsSync(path.join(source, 'index.html')) || isFresh(root, target)) return;
  const [{ build }, { default: solid }] = await Promise.all([import('vite'), import('vite-plugin-solid')]);
  const partial = `${target}.${process.pid}.partial`;
  await build({
    configFile: false,
    root: source,
    base: './', // the token is part of the path
    plugins: [solid()],
    logLevel: 'error',
    cacheDir: path.join(root, 'node_modules/.cache/vite'),
    build: {
      outDir: partial,
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0, // the content security policy allows no inlined files
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 1000,
    },
  });
  replace(partial, target);
};
