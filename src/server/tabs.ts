import type { RawData, WebSocket } from 'ws';
import type { DebuggerError } from '../base/index.js';
import type { Client } from '../client/index.js';
import {
  invalidMessage,
  pageMessage,
  toWireError,
  type HostRequest,
  type PageMessage,
  type ServerMessage,
  type SessionView,
  type ViewAsk,
} from '../protocol/index.js';
import { Bridge } from './bridge.js';
import { browseFolder } from './folders.js';
import { modelChoices } from './models.js';
import { KeptAnswers } from './kept-answers.js';
import type { Processes } from './processes.js';
import type { RecentModels } from './recent.js';
import { ofProcess, type Session } from './session.js';
import { SharedRun } from './shared-run.js';

export interface TabsOptions {
  readonly client: Client;
  readonly session: Session;
  readonly tour?: SessionView['tour'];
  readonly notes: readonly string[];
  /** A folder whose models can be chosen. */
  readonly folder?: string | undefined;
  readonly recent: RecentModels;
  readonly processes: Processes;
}

/** How long the run under the debugger outlives the last page: a page that is loaded again takes less. */
const graceMs = 5000;

/** An open page. `seq`: how many of its changes were carried out. */
interface Tab {
  readonly socket: WebSocket;
  readonly bridge: Bridge;
  seq: number;
}

const bytesOf = (data: RawData): Uint8Array => (Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data));

/** @throws UsageError MESSAGE_INVALID */
const parseText = (bytes: Uint8Array): PageMessage => {
  try {
    return pageMessage.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw invalidMessage('a text of a page is no message', cause);
  }
};

/** All open pages: each has its requests to the host, all have one session. */
export class Tabs {
  readonly #tabs = new Set<Tab>();
  #count = 0;
  #death: DebuggerError | undefined;
  readonly #run: SharedRun;
  readonly #kept = new KeptAnswers();
  #grace: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(readonly options: TabsOptions) {
    const { client, session, processes } = options;
    const tell = (message: ServerMessage): void => {
      for (const tab of this.#tabs) this.#send(tab, message);
    };
    this.#run = new SharedRun({ client, processes, tell, state: () => session.standing.state });
  }

  get size(): number {
    return this.#tabs.size;
  }

  /** A page connected. */
  add(socket: WebSocket): void {
    const { client } = this.options;
    const ends = {
      send: (bytes: Uint8Array): void => {
        if (socket.readyState === socket.OPEN) socket.send(bytes);
      },
      hangUp: (): void => socket.close(1008),
    };
    const answered = (request: HostRequest, result: unknown): void => this.#answered(request, result);
    const look = (ask: ViewAsk) => this.#run.look(ask);
    const tab: Tab = {
      socket,
      bridge: new Bridge(`tab-${this.#count++}`, client, { ...ends, answered, look }),
      seq: 0,
    };
    this.#tabs.add(tab);
    clearTimeout(this.#grace);
    socket.on('message', (data, isBinary) => this.#message(tab, bytesOf(data), isBinary));
    socket.on('error', () => undefined); // a close follows
    socket.on('close', () => {
      this.#tabs.delete(tab);
      tab.bridge.dispose();
      if (this.#tabs.size === 0) this.#left();
    });
    tab.bridge.greet();
    this.#tell(tab);
    for (const message of this.#run.greeting()) this.#send(tab, message);
  }

  /** Remembers which models could be opened, and what took long. */
  #answered({ method, params }: HostRequest, result: unknown): void {
    const { model } = params as { readonly model?: unknown };
    if ((method === 'list' || method === 'compare') && typeof model === 'string') void this.options.recent.add(model);
    this.#kept.put(method, params, result);
  }

  /** Opens what the session begins with, where that is a process or a recording. @throws why it cannot be opened */
  begin(): Promise<void> {
    return this.#run.begin();
  }

  /** No page is left: the run pauses, and is closed unless one comes back. A process is let go then. */
  #left(): void {
    const ended = (): void => undefined; // nobody is there to be told
    this.#run.left().catch(ended);
    clearTimeout(this.#grace);
    if (this.#isClosed) return;
    this.#grace = setTimeout(() => void this.#run.act({ act: 'close' }).catch(ended), graceMs);
    this.#grace.unref();
  }

  /** The host is gone; pages may have it restarted. */
  died(error: DebuggerError): void {
    this.#death = error;
    this.#run.lost();
    this.#tellAll();
  }

  /** A process that is attached to goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#grace);
    for (const { socket } of this.#tabs) socket.close(1001);
    await this.#run.dispose();
  }

  #message(tab: Tab, bytes: Uint8Array, isBinary: boolean): void {
    if (isBinary) {
      tab.bridge.receive(bytes);
      return;
    }
    try {
      const message = parseText(bytes);
      this.#act(tab, message).catch((error: unknown) => this.#fault(tab, error));
    } catch (error) {
      this.#fault(tab, error);
      tab.socket.close(1008);
    }
  }

  #fault(tab: Tab, error: unknown): void {
    this.#send(tab, { type: 'fault', error: toWireError(error) });
  }

  async #act(tab: Tab, message: PageMessage): Promise<void> {
    const { session, client } = this.options;
    switch (message.type) {
      case 'change':
        session.change(message.state, message.gesture);
        tab.seq = message.seq;
        break;
      case 'focus':
        session.look(message.focus);
        tab.seq = message.seq;
        break;
      case 'undo':
        session.undo();
        break;
      case 'redo':
        session.redo();
        break;
      case 'run':
        await this.#run.act(message.act);
        return;
      case 'attach':
        await this.#attach(message);
        return;
      case 'restart':
        this.#run.lost();
        await client.restart();
        this.#death = undefined;
        break;
      case 'kept':
      case 'models':
      case 'browse':
        this.#send(tab, await this.#answer(message));
        return;
    }
    this.#tellAll();
    const isMade = message.type === 'undo' || message.type === 'redo' || message.type === 'change';
    if (isMade) this.#run.follow().catch((error: unknown) => this.#fault(tab, error));
    if (isMade && !(message.type === 'change' && message.gesture !== undefined)) await session.save();
  }

  async #attach({ address, token, ranks }: Extract<PageMessage, { type: 'attach' }>): Promise<void> {
    const { session, processes } = this.options;
    processes.remember(address, { token, ranks });
    if (session.standing.state.model !== address) session.change(ofProcess(address));
    this.#tellAll();
    await this.#run.attach();
    await session.save();
  }

  #answer(message: Extract<PageMessage, { type: 'kept' | 'models' | 'browse' }>): Promise<ServerMessage> {
    if (message.type !== 'kept') return this.#choices(message);
    const { id, asked, params } = message;
    return Promise.resolve({ type: 'kept', id, result: this.#kept.find(asked, params) });
  }

  /** What can be chosen. @throws UsageError MESSAGE_INVALID, OPTION_INVALID, FILE_UNREADABLE */
  async #choices(message: Extract<PageMessage, { type: 'models' | 'browse' }>): Promise<ServerMessage> {
    const { session, folder, recent } = this.options;
    if (message.type === 'models')
      return { type: 'models', models: await modelChoices([...session.models, ...(await recent.list())], folder) };
    if (folder === undefined) throw invalidMessage('there is no folder that may be looked into');
    return { type: 'folder', view: await browseFolder(folder, message.folder) };
  }

  #tellAll(): void {
    for (const tab of this.#tabs) this.#tell(tab);
  }

  #tell(tab: Tab): void {
    const { session, tour, client, notes } = this.options;
    const error = this.#death ? { error: toWireError(this.#death) } : {};
    this.#send(tab, {
      ...{ type: 'session', seq: tab.seq, ...session.standing, ...(tour ? { tour } : {}) },
      ...{ host: { alive: client.isAlive, ...error }, notes: [...notes] },
    });
  }

  #send({ socket }: Tab, message: ServerMessage): void {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  }
}
