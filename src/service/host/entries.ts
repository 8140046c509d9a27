import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** What runs in a process or a thread of its own: names of files here, and of bundles in dist/. */
const entries = {
  process: { source: './process.ts', bundle: 'host.js' },
  worker: { source: './worker.ts', bundle: 'host-worker.js' },
} as const;

const here = import.meta.url;
const isSource = here.endsWith('.ts');

/** Where an entry is: beside this file among the sources, or in dist/, of which this file may be a chunk. */
const entryUrl = (name: keyof typeof entries): URL => {
  const { source, bundle } = entries[name];
  if (isSource) return new URL(source, here);
  const isChunk = path.basename(path.dirname(fileURLToPath(here))) === 'chunks';
  return new URL(isChunk ? `../${bundle}` : `./${bundle}`, here);
};

/** The process's entry, as a file. */
export const processEntry = (): string => fileURLToPath(entryUrl('process'));

/** Options of Node that the process's entry needs: among the sources, their loader, wherever the process is started. */
export const entryOptions = (): readonly string[] =>
  isSource ? ['--import', pathToFileURL(createRequire(here).resolve('tsx')).href] : [];

/** Starts the worker. Among the sources the thread first gets a loader of its own: that of the process is not for it. */
export const startWorker = (workerData: object): Worker => {
  const url = entryUrl('worker');
  if (!isSource) return new Worker(url, { workerData });
  const [api, entry] = [import.meta.resolve('tsx/esm/api'), url.href].map((text) => JSON.stringify(text));
  const code = `import(${api}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { eval: true, workerData, execArgv: [] });
};
