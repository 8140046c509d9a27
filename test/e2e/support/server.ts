import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { goldenFolder } from '../../support/golden.js';
import { root } from '../../support/root.js';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

/** Headers under which a page is isolated from other origins, and so may have threads. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

const ortFolder = path.join(root, 'node_modules/onnxruntime-web/dist');

/** The file behind a path: of onnxruntime-web, or of a golden model. Plain names alone, nothing above. */
const fileOf = (url: string): string | undefined => {
  const [, folder, ...names] = url.split('/');
  if (!names.every((name) => /^\w[\w.-]*$/.test(name))) return undefined;
  if (folder === 'ort' && names.length === 1) return path.join(ortFolder, ...names);
  if (folder === 'models' && names.length === 2) return path.join(goldenFolder, ...names);
  return undefined;
};

const contentOf = (url: string, made: ReadonlyMap<string, string>): string | Uint8Array | undefined => {
  const file = fileOf(url);
  if (file === undefined) return made.get(url);
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
};

export interface PageServer {
  readonly origin: string;
  /** Paths that were asked for, with the status they got. */
  readonly log: readonly string[];
  close(): Promise<void>;
}

const listening = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));

/**
 * Serves a page on loopback.
 * @param made what is in no file, by path
 * @param isolated whether the page may have threads
 */
export const servePage = async (made: ReadonlyMap<string, string>, isolated: boolean): Promise<PageServer> => {
  const log: string[] = [];
  const server = createServer(({ url = '/' }, response) => {
    const content = contentOf(url, made);
    const status = content === undefined ? 404 : 200;
    log.push(`${status} ${url}`);
    const type = types[path.extname(url === '/' ? 'index.html' : url)] ?? 'application/octet-stream';
    response.writeHead(status, { 'Content-Type': type, ...(isolated ? isolation : {}) }).end(content ?? 'not found');
  });
  await listening(server);
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
