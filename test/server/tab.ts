import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import WebSocket from 'ws';
import {
  serverMessage,
  type PageMessage,
  type RunAct,
  type RunView,
  type ServerMessage,
} from '../../src/protocol/index.js';
import type { PageServer } from '../../src/server/index.js';

/** A page's end of the session, without a page. */
export interface Tab {
  readonly told: ServerMessage[];
  send(message: PageMessage): void;
  act(act: RunAct): void;
  change(state: object): void;
  /** The run, as it was told last. */
  view(): RunView | undefined;
  leave(): void;
}

let seq = 0;

export const connectTab = async (server: PageServer): Promise<Tab> => {
  const socket = new WebSocket(`${server.address.replace('http', 'ws')}socket`);
  const told: ServerMessage[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) told.push(serverMessage.parse(JSON.parse(data.toString())));
  });
  await new Promise((resolve) => socket.on('open', resolve));
  const send = (message: PageMessage): void => socket.send(JSON.stringify(message));
  return {
    told,
    send,
    act: (act) => send({ type: 'run', act }),
    change: (state) => send({ type: 'change', seq: ++seq, state }),
    view: () => told.findLast((message) => message.type === 'run')?.view,
    leave: () => socket.terminate(),
  };
};

export const until = (what: () => unknown) => expect.poll(what, { timeout: 20_000, interval: 10 });

/** A folder to serve where no browser looks. */
export const emptyPage = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cutaway-run-'));
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'index.html'), '');
  return folder;
};
