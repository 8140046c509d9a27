/**
 * Builds the page, src/web, into dist/web: beside it first, then in its place, so that a server that starts meanwhile
 * finds one or the other whole.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

/**
 * @param {string} root the repository's
 * @returns {Promise<void>}
 * @throws when vite is not installed or a source does not compile
 */
export const buildPage = async (root) => {
  const source = path.join(root, 'src/web');
  if (!existsSync(path.join(source, 'index.html'))) return;
  const [{ build }, { default: solid }] = await Promise.all([import('vite'), import('vite-plugin-solid')]);
  const target = path.join(root, 'dist/web');
  const [partial, old] = [`${target}.${process.pid}.partial`, `${target}.${process.pid}.old`];
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
  if (existsSync(target)) renameSync(target, old);
  renameSync(partial, target);
  rmSync(old, { recursive: true, force: true });
};
