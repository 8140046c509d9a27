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

/** Answers a request that may ask. */
const answer = async (
  { method, url }: IncomingMessage,
  response: ServerResponse,
  { files, gate }: { readonly files: PageFiles; readonly gate: Gate },
): Promise<void> => {
  const wanted = pathBehind(url, gate) ?? '';
  const found = files.get(wanted);
  if (method !== 'GET' && method !== 'HEAD') say(response, 405, 'Only GET.');
  else if (!found) say(response, 404, 'There is no such file.');
  else if (wanted === '' && !/^\/[^/?#]+\//.test(url ?? ''))
    response.writeHead(308, { ...headers, Location: `/${gate.token}/` }).end(); // the page's links are relative
  else {
    const content = await readPageFile(found.file).catch(() => undefined);
    if (content) response.writeHead(200, { ...headers, 'Content-Type': found.type }).end(content);
    else say(response, 404, 'The file is gone: was the page built anew? Start cutaway again.');
  }
};

/** Answers requests for the files of the page. */
export const makeHandler =
  (files: PageFiles, gate: () => Gate) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refused = refusal(request, gate());
    if (refused) say(response, refused.status, refused.text);
    else await answer(request, response, { files, gate: gate() });
  };
