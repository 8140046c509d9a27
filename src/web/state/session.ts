import { batch } from 'solid-js';
import { createStore, reconcile, type SetStoreFunction } from 'solid-js/store';
import type { Client } from '../../client/index.js';
import { connect } from '../../client/index.js';
import {
  serverMessage,
  type ExperimentState,
  type FolderView,
  type KeptMethod,
  type ModelChoice,
  type PageMessage,
  type ServerMessage,
  type SessionFocus,
  type SessionView,
  type WireError,
} from '../../protocol/index.js';
import { openSocket, type Socket } from '../link/socket.js';
import { makeKeptQuestions } from './kept-questions.js';

export type Change = Extract<PageMessage, { type: 'change' }>['state'];

/** What the page knows of its session. */
export interface SessionStore {
  /** Undefined until the server has told it. */
  state: ExperimentState | undefined;
  focus: SessionFocus | null;
  canUndo: boolean;
  canRedo: boolean;
  tour: SessionView['tour'];
  notes: string[];
  /** Whether there is a connection to the server, and a host behind it. */
  link: 'connecting' | 'open' | 'lost';
  host: { alive: boolean; error?: WireError | undefined };
  models: ModelChoice[];
  /** The folder that was asked for last. */
  folder: FolderView | undefined;
  fault: WireError | undefined;
}

export interface Session {
  readonly store: SessionStore;
  /** The host's client; undefined while there is no connection. */
  client(): Client | undefined;
  change(change: Change, gesture?: string): void;
  look(focus: SessionFocus | null): void;
  send(message: PageMessage): void;
  onReady(then: () => void): void;
  /** An answer that the server still has, of this tab or another; undefined where it has none. */
  kept(method: KeptMethod, params: object): Promise<unknown>;
  /** Hears what the server tells of the run under the debugger. */
  onTold(hear: (message: ServerMessage) => void): void;
}

const start: SessionStore = {
  ...{ state: undefined, focus: null, canUndo: false, canRedo: false, tour: undefined, notes: [] },
  ...{ link: 'connecting', host: { alive: true }, models: [], folder: undefined, fault: undefined },
};
const retryMs = 1000;

/** A state with a change in it, as the server will make it. */
const changed = (state: ExperimentState, change: Change): ExperimentState =>
  Object.fromEntries(
    Object.entries({ ...state, ...change }).filter(([, value]) => value !== null && value !== undefined),
  ) as ExperimentState;

/** Keeps a connection to the server: when it is lost, tries again every second. */
const keepConnected = (told: {
  readonly message: (message: ServerMessage) => void;
  readonly opened: (socket: Socket) => void;
  readonly ready: (client: Client) => void;
  readonly lost: () => void;
}): void => {
  const open = async (): Promise<void> => {
    const socket = openSocket();
    socket.onText = (text) => told.message(serverMessage.parse(JSON.parse(text)));
    told.opened(socket);
    void socket.over.then(() => {
      told.lost();
      setTimeout(() => void open(), retryMs);
    });
    const client = await connect(socket.connector).catch(() => undefined); // `over` tells of a failure
    if (client) told.ready(client);
  };
  void open();
};

/** Takes what the server tells into the store. @returns takes a message, and says whether it is the first session */
const makeTaker =
  (store: SessionStore, set: SetStoreFunction<SessionStore>, seq: () => number) =>
  (message: ServerMessage): boolean => {
    if (message.type === 'models') set('models', message.models);
    else if (message.type === 'folder') set({ folder: message.view, fault: undefined });
    else if (message.type === 'fault') set('fault', message.error);
    if (message.type !== 'session') return false;
    const isFirst = store.state === undefined;
    const { focus, canUndo, canRedo, tour, notes, host } = message;
    batch(() => {
      // What is older than the page's own latest change would undo it before the user's eyes.
      if (message.seq >= seq() || isFirst) {
        set('state', reconcile(message.state));
        set('focus', reconcile(focus));
      }
      set({ canUndo, canRedo, tour, notes, host: { alive: host.alive, error: host.error } });
    });
    return isFirst;
  };

/** What the page has of its server by now, and who is to be told what. */
interface Ends {
  socket?: Socket;
  client?: Client | undefined;
  ready?: () => void;
  hear?: (told: ServerMessage) => void;
}

/** The page's side of the session: what the user does shows at once, and other pages' changes as they come. */
export const makeSession = (): Session => {
  const [store, set] = createStore<SessionStore>({ ...start });
  const at: Ends = {};
  let seq = 0;
  const take = makeTaker(store, set, () => seq);
  const send = (message: PageMessage): void => at.socket?.send(message);
  const questions = makeKeptQuestions(send);
  const linked = (client?: Client): void => {
    if (!client) questions.lost();
    at.client = client;
    set('link', client ? 'open' : 'lost');
  };
  keepConnected({
    message: (message) => {
      at.hear?.(message);
      questions.hear(message);
      if (take(message)) at.ready?.();
    },
    opened: (socket) => ([at.socket, seq] = [socket, 0]),
    ready: linked,
    lost: linked,
  });
  const change: Session['change'] = (wanted, gesture) => {
    if (!store.state) return;
    set('state', reconcile(changed(store.state, wanted)));
    send({ type: 'change', seq: ++seq, state: wanted, ...(gesture === undefined ? {} : { gesture }) });
  };
  const look: Session['look'] = (focus) => {
    set('focus', focus);
    send({ type: 'focus', seq: ++seq, focus });
  };
  return {
    ...{ store, send, change, look, client: () => at.client, kept: questions.ask },
    onReady: (then) => {
      at.ready = then;
      if (store.state) then();
    },
    onTold: (hear) => void (at.hear = hear),
  };
};
