/**
 * Builds the page, src/web, into dist/web: beside it first, then in its place, so that a server that starts meanwhile
 * finds one or the other whole.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
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

/**
 * @param {string} root the repository's
 * @param {string} [target] where the page goes
 * @returns {Promise<void>}
 * @throws when vite is not installed or a source does not compile
 */
export const buildPage = async (root, target = path.join(root, 'dist/web')) => {
  const source = path.join(root, 'src/web');
  if (!existsSync(path.join(source, 'index.html'))) return;
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
