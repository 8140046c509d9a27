import type { IncomingMessage, ServerResponse } from 'node:http';
import { isHostAllowed, isOriginAllowed, pathBehind, type Gate } from './address.js';
import { readPageFile, type PageFiles } from './files.js';

/** Scripts, styles and connections of our own origin alone; nothing from elsewhere, nothing inline, in no frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer', // the address holds the token
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const say = (response: ServerResponse, status: number, text: string): void => {
  response.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
};

/** Why a request is refused; undefined where it is not. Also asked of those that want a WebSocket. */
export const refusal = (request: IncomingMessage, gate: Gate): { status: number; text: string } | undefined => {
  if (!isHostAllowed(request.headers.host, gate)) return { status: 403, text: 'This server has another name.' };
  if (!isOriginAllowed(request.headers, gate)) return { status: 403, text: 'Pages from elsewhere may not ask.' };
  if (pathBehind(request.url, gate) === undefined)
    return { status: 403, text: 'Open the whole address that cutaway printed: it holds a token.' };
  return undefined;
};

/** Answers requests for the files of the page. */
export const makeHandler =
  (files: PageFiles, gate: () => Gate) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refused = refusal(request, gate());
    if (refused) return say(response, refused.status, refused.text);
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(response, 405, 'Only GET.');
    const wanted = pathBehind(request.url, gate()) ?? '';
    if (wanted === '' && !/^\/[^/?#]+\//.test(request.url ?? '')) {
      response.writeHead(308, { ...headers, Location: `/${gate().token}/` }).end(); // its links are relative
      return;
    }
    const found = files.get(wanted);
    if (!found) return say(response, 404, 'There is no such file.');
    const content = await readPageFile(found.file).catch(() => undefined);
    if (!content) return say(response, 404, 'The file is gone: was the page built anew? Start cutaway again.');
    response.writeHead(200, { ...headers, 'Content-Type': found.type }).end(content);
  };
