/** A page's requests on the way to the host: what a page asked for ends with it, and pages do not meet. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { connect, type Client, type Transport, type TransportEvents } from '../../src/client/index.js';
import { startPage, type PageServer } from '../../src/server/index.js';

let folder = '';
let server: PageServer;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutaway-bridge-'));
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'index.html'), '');
  server = await startPage({ port: 0, page: folder });
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true });
});

/** A page's side: the typed client on a WebSocket. `leave` closes it as a closed tab does. */
const openTab = async (): Promise<{ client: Client; leave: () => void }> => {
  const socket = new WebSocket(`${server.address.replace('http', 'ws')}socket`);
  const over = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  let events: TransportEvents | undefined;
  const early: Uint8Array[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) return;
    if (events) events.data(data);
    else early.push(data);
  });
  await new Promise((resolve) => socket.on('open', resolve));
  const transport: Transport = {
    send: (pieces) => socket.send(Buffer.concat(pieces)),
    listen: (given) => {
      events = given;
      for (const data of early) given.data(data);
      void over.then(() => given.end({ reason: 'closed' }));
    },
    close: () => {
      socket.close();
      return over;
    },
  };
  return { client: await connect(() => Promise.resolve(transport)), leave: () => socket.terminate() };
};

/** Runs for minutes on the plain engine. */
const long = { engine: 'reference' as const, ids: [1, 5], maxNewTokens: 250, ignoreEos: true };

describe('the bridge', () => {
  it('cancels what a page asked for when the page closes', { timeout: 60_000 }, async () => {
    const { client, leave } = await openTab();
    const begun = new Promise<void>((resolve, reject) => {
      client.request('run', long, { onTold: (told) => told.type === 'progress' && resolve() }).catch(reject);
    });
    begun.catch(() => undefined); // that it ends with the connection is what is asked for
    await begun;
    expect((await server.host.request('status', {})).pending).toBe(1);
    leave();
    await expect
      .poll(async () => (await server.host.request('status', {})).pending, { timeout: 20_000, interval: 20 })
      .toBe(0);
  });

  it('frees what the host held for a page that closed', { timeout: 60_000 }, async () => {
    const { client, leave } = await openTab();
    await client.request('capture', { ids: [5, 6], sites: '**.pattern', run: 'mine' });
    expect((await server.host.request('status', {})).arena.entries).toBeGreaterThan(1);
    leave();
    await expect
      .poll(async () => (await server.host.request('status', {})).arena.entries, { timeout: 20_000, interval: 20 })
      .toBe(0);
  });

  it('keeps keys of pages apart', { timeout: 60_000 }, async () => {
    const [one, other] = [await openTab(), await openTab()];
    const asked = [one, other].map(({ client }) => client.request('lens', { ids: [5, 6] }, { key: 'board' }));
    const results = await Promise.all(asked);
    expect(results.map((r) => r.rows.length > 1)).toEqual([true, true]);
    for (const { client } of [one, other]) await client.dispose();
  });
});
