/** What the page's server refuses: whoever has no token, other hosts and origins, other files, what is no message. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { encodeFrame, FrameDecoder } from '../../src/protocol/index.js';
import { startPage, type PageServer } from '../../src/server/index.js';

let folder = '';
let server: PageServer;
let port = 0;
let token = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-server-'));
  mkdirSync(path.join(folder, 'web/assets'), { recursive: true });
  writeFileSync(path.join(folder, 'web/index.html'), '<!doctype html><title>page</title>');
  writeFileSync(path.join(folder, 'web/assets/a.js'), 'export {};');
  writeFileSync(path.join(folder, 'secret.js'), 'secret');
  server = await startPage({ port: 0, page: path.join(folder, 'web') });
  const address = new URL(server.address);
  port = Number(address.port);
  token = address.pathname.slice(1, -1);
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true });
});

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks with exactly this path and these headers: no client in between puts either right. */
const ask = (where: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: where, method, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });

/** How a WebSocket ends: the HTTP status that refused it, or the code that closed it. */
const socketEnd = (
  { where = `/${token}/socket`, headers = {} }: { where?: string; headers?: Record<string, string> },
  then: (socket: WebSocket) => void = (socket) => socket.close(),
): Promise<number> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${where}`, { headers });
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => undefined);
    socket.on('open', () => then(socket));
    socket.on('close', (code) => resolve(code));
  });

describe('the page’s server', () => {
  it('serves the page under its token, with a strict policy and nothing to store', async () => {
    const { status, headers, body } = await ask(`/${token}/`);
    expect([status, body]).toEqual([200, '<!doctype html><title>page</title>']);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    expect((await ask(`/${token}/assets/a.js`)).status).toBe(200);
  });

  it('leads to the slash that relative links need', async () => {
    expect(await ask(`/${token}`)).toMatchObject({ status: 308, headers: { location: `/${token}/` } });
  });

  it('has an address of 128 random bits on loopback', () => {
    expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/$/);
  });

  it.each(['/', '/index.html', '/wrong/', `/wrong/assets/a.js`, '//', '/%00/'])(
    'refuses %s: no token',
    async (where) => {
      const { status, body } = await ask(where);
      expect(status).toBe(403);
      expect(body).not.toContain(token);
    },
  );

  it.each(['../secret.js', '..%2fsecret.js', 'assets/../../secret.js', '%2e%2e/secret.js', '..\\secret.js', 'assets/'])(
    'serves nothing but the page’s files: %s',
    async (where) => {
      const { status, body } = await ask(`/${token}/${where}`);
      expect(status).toBe(404);
      expect(body).not.toContain('secret\n');
    },
  );

  it.each(['evil.example', 'evil.example:80', '127.0.0.1', '127.0.0.1:1', 'localhost.evil.example', '[::2]:80', '?'])(
    'refuses the host %s, so that no name can be made to lead here',
    async (host) => {
      expect((await ask(`/${token}/`, { host })).status).toBe(403);
      expect(await socketEnd({ headers: { host } })).toBe(403);
    },
  );

  it('answers to localhost too', async () => {
    expect((await ask(`/${token}/`, { host: `localhost:${port}` })).status).toBe(200);
  });

  it.each(['https://evil.example', 'http://127.0.0.1:1', 'null', 'http://localhost'])(
    'refuses the origin %s',
    async (origin) => {
      expect((await ask(`/${token}/`, { origin })).status).toBe(403);
      expect(await socketEnd({ headers: { origin } })).toBe(403);
    },
  );

  it('takes only GET', async () => {
    expect((await ask(`/${token}/`, {}, 'POST')).status).toBe(405);
  });
});

/** Frames that a page gets back, until the socket closes. */
const answersTo = async (bytes: Uint8Array | string): Promise<{ code: number; told: unknown[] }> => {
  const told: unknown[] = [];
  const decoder = new FrameDecoder();
  const code = await socketEnd({ headers: { origin: `http://127.0.0.1:${port}` } }, (socket) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) decoder.push(data);
      else told.push(JSON.parse(data.toString()));
      for (let frame = isBinary ? decoder.next() : undefined; frame; frame = decoder.next()) {
        told.push(frame.message);
        const { type } = frame.message as { type: string };
        if (type === 'error' || type === 'answer') socket.close();
      }
    });
    socket.send(bytes);
  });
  return { code, told };
};
const framed = (message: unknown): Uint8Array => Buffer.concat(encodeFrame(message));

describe('its WebSocket', () => {
  it('needs the token', async () => {
    expect(await socketEnd({ where: '/wrong/socket' })).toBe(403);
    expect(await socketEnd({ where: `/${token}/other` })).toBe(404);
  });

  it('greets, tells the session, and answers a request', async () => {
    const { told } = await answersTo(framed({ type: 'request', id: 7, method: 'ping', params: {} }));
    expect(told).toEqual([
      expect.objectContaining({ type: 'ready' }),
      expect.objectContaining({ type: 'session', canUndo: false }),
      { type: 'answer', id: 7, result: {} },
    ]);
  });

  it('hangs up on what is too large, before it is held', async () => {
    const header = new Uint8Array(8);
    new DataView(header.buffer).setUint32(0, 0xffffffff, true);
    const { code, told } = await answersTo(header);
    expect(code).toBe(1008);
    expect(told.at(-1)).toMatchObject({ type: 'fault', error: { code: 'MESSAGE_INVALID' } });
    expect((await answersTo(new Uint8Array(2 ** 23 + 1))).code).toBe(1009);
  });

  it.each([
    ['no JSON', Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('x')])],
    ['no message', framed({ type: 'nonsense' })],
    ['a payload', Buffer.concat(encodeFrame({ type: 'cancel', id: 1 }, new Uint8Array(4)))],
  ])('hangs up on a frame with %s', async (_, bytes) => {
    expect((await answersTo(bytes)).code).toBe(1008);
  });

  it.each([
    ['{', 1008],
    ['{"type":"change","seq":1,"state":{"edits":5}}', 1008],
    ['{"type":"nonsense"}', 1008],
    ['{"type":"run","act":{"act":"record","file":"/tmp/cutaway-must-not-be"}}', 1008],
    ['{"type":"run","act":{"act":"move","motion":{"kind":"nonsense"}}}', 1008],
  ])('hangs up on the text %s', async (text, code) => {
    expect((await answersTo(text)).code).toBe(code);
  });

  it.each([
    ['open', { handle: 'x', model: 'zoo:world' }, 'MESSAGE_INVALID'],
    ['constructor', {}, 'MESSAGE_INVALID'],
    ['inspect', { ids: [1], sites: 'logits', out: '/tmp/cutaway-must-not-be' }, 'OPTION_INVALID'],
    ['run', { ids: [1], record: '/tmp/cutaway-must-not-be' }, 'OPTION_INVALID'],
    ['patch', { ids: [1], method: 'zero', resume: '/tmp/cutaway-must-not-be' }, 'OPTION_INVALID'],
    [
      'debug.open',
      { session: 'mine', model: 'zoo:world', ids: [1], record: '/tmp/cutaway-must-not-be' },
      'MESSAGE_INVALID',
    ],
    [
      'debug.apply',
      { session: 'page', change: { change: 'record', file: '/tmp/cutaway-must-not-be' } },
      'MESSAGE_INVALID',
    ],
    ['debug.apply', { session: 'page', change: { change: 'edit', text: 'skip layer 1' } }, 'MESSAGE_INVALID'],
    ['debug.move', { session: 'page', motion: { kind: 'continue' } }, 'MESSAGE_INVALID'],
    ['debug.points', { session: 'page' }, 'MESSAGE_INVALID'],
    ['debug.close', { session: 'page' }, 'MESSAGE_INVALID'],
    ['debug.view', { session: 'other', ask: { ask: 'points' } }, 'MESSAGE_INVALID'],
    ['debug.view', { session: 'page', ask: { ask: 'points' }, record: '/tmp/x' }, 'OPTION_INVALID'],
  ])('refuses %s with %j: pages write no files and open no handles', async (method, params, code) => {
    const { told } = await answersTo(framed({ type: 'request', id: 1, method, params }));
    expect(told.at(-1)).toMatchObject({ type: 'error', id: 1, error: { code } });
  });
});
