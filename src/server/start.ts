import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { EngineError } from '../base/index.js';
import type { Client } from '../client/index.js';
import type { ExperimentState, TourHint } from '../protocol/index.js';
import { openJournal, startHost, type Journal } from '../service/host/index.js';
import { readTour } from '../service/index.js';
import { makeToken, pathBehind, type Gate } from './address.js';
import { builtPage, pageFiles } from './files.js';
import { makeHandler, refusal } from './http.js';
import { Processes, type Access } from './processes.js';
import { RecentModels } from './recent.js';
import { Session, stateIn } from './session.js';
import { Tabs } from './tabs.js';

export interface PageOptions {
  readonly model?: string | undefined;
  /** A live process in a model's place, and how it lets a debugger in. */
  readonly attach?: (Access & { readonly address: string }) | undefined;
  /** The port; where left out 7077, or any free one. */
  readonly port?: number | undefined;
  /** Another address than loopback. */
  readonly listen?: string | undefined;
  /** A journal: what the user makes is kept there, and what it has is gone on from. */
  readonly session?: string | undefined;
  /** A folder whose models can be chosen, and those of the folders in it. */
  readonly folder?: string | undefined;
  /** A folder to remember in which models were opened; nothing is remembered where left out. */
  readonly state?: string | undefined;
  /** Where the built page is, if not in its usual place. */
  readonly page?: string | undefined;
}

export interface PageServer {
  /** Where the page is, with its token. */
  readonly address: string;
  readonly host: Client;
  dispose(): Promise<void>;
}

const usualPort = 7077;
/** A page's messages are requests; answers are not limited by this. */
const mostMessageBytes = 2 ** 23;

const listenAt = (server: Server, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, address, () => resolve());
  });

/** @throws EngineError PORT_UNAVAILABLE */
const listen = async (server: Server, { port, listen: address = '127.0.0.1' }: PageOptions): Promise<number> => {
  try {
    await listenAt(server, port ?? usualPort, address).catch(async (error: unknown) => {
      if (port !== undefined) throw error;
      server.removeAllListeners('error');
      await listenAt(server, 0, address); // the usual port is taken
    });
  } catch (cause) {
    throw new EngineError(`cannot listen at ${address}, port ${port ?? 0}: ${(cause as Error).message}`, {
      code: 'PORT_UNAVAILABLE',
      hint: 'Name another port with --port, or leave it out to take any that is free.',
      cause,
    });
  }
  return (server.address() as AddressInfo).port;
};

const openingTour = async (): Promise<TourHint & { readonly edit: string }> => {
  const { model, ...rest } = await readTour();
  return { model: `zoo:${model}`, ...rest };
};

/** What a session begins with: the case of the first minute, or an empty prompt for a model of one's own. */
const beginning = (model: string | undefined, tour: TourHint): ExperimentState => {
  const isTour = model === undefined || model === tour.model || `zoo:${model}` === tour.model;
  if (isTour) return { model: tour.model, prompt: tour.prompt, word: tour.expected, name: '', edits: [] };
  return { model, prompt: '', name: '', edits: [] };
};

const beginSession = async (
  { model, session }: PageOptions,
  tour: TourHint,
): Promise<{ session: Session; journal: Journal | undefined }> => {
  const journal = session === undefined ? undefined : await openJournal(session);
  const kept = journal && stateIn(journal);
  const begun = beginning(model, tour);
  const state = kept && (model === undefined || model === kept.model) ? kept : begun;
  return { session: new Session(state, journal), journal };
};

const hintOf = ({ model, prompt, expected, wrong, layer, head }: TourHint): TourHint => ({
  ...{ model, prompt, expected, wrong },
  ...{ layer, head },
});

const refuseUpgrade = (socket: Duplex, status: number): void => {
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
};

/** Takes WebSockets at `/TOKEN/socket` of our own pages alone. */
const acceptSockets = (server: Server, tabs: Tabs, gate: () => Gate): WebSocketServer => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostMessageBytes, perMessageDeflate: false });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refused = refusal(request, gate());
    const isSocket = pathBehind(request.url, gate()) === 'socket';
    if (refused || !isSocket) refuseUpgrade(socket, refused?.status ?? 404);
    else sockets.handleUpgrade(request, socket, head, (opened) => tabs.add(opened));
  });
  return sockets;
};

/** How an address is written in one: IPv6 in brackets; all addresses as loopback. */
const shownHost = (address = '127.0.0.1'): string => {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
};

/**
 * Serves the page on loopback, with a host of its own for models.
 * @throws EngineError PORT_UNAVAILABLE, PAGE_MISSING, HOST_DIED; UsageError FILE_UNREADABLE of the session; as
 * `LiveTarget.open` where a process is attached to
 */
export const startPage = async (given: PageOptions): Promise<PageServer> => {
  const { attach } = given;
  const options = attach ? { ...given, model: attach.address } : given;
  const processes = new Processes();
  if (attach) processes.remember(attach.address, attach);
  const files = pageFiles(options.page ?? builtPage());
  const tour = hintOf(await openingTour());
  const { session, journal } = await beginSession(options, tour);
  const host = await startHost({ onDeath: (error) => tabs.died(error) });
  const isOpen = options.listen !== undefined;
  let gate: Gate = { token: makeToken(), port: 0, isOpen };
  const recent = new RecentModels(options.state);
  const notes = journal?.notes ?? [];
  const tabs = new Tabs({ client: host, session, tour, notes, recent, processes, folder: options.folder });
  const handle = makeHandler(files, () => gate);
  const server = createServer((request, response) => void handle(request, response));
  const sockets = acceptSockets(server, tabs, () => gate);
  const dispose = async (): Promise<void> => {
    await tabs.close();
    sockets.close();
    server.close();
    server.closeAllConnections();
    await host.dispose();
    await journal?.dispose();
  };
  try {
    await tabs.begin();
    gate = { ...gate, port: await listen(server, options) };
  } catch (error) {
    await dispose();
    throw error;
  }
  return { address: `http://${shownHost(options.listen)}:${gate.port}/${gate.token}/`, host, dispose };
};
