import { batch } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { Client } from '../../client/index.js';
import { connect } from '../../client/index.js';
import {
  serverMessage,
  type ExperimentState,
  type ModelChoice,
  type PageMessage,
  type SessionFocus,
  type SessionView,
  type WireError,
} from '../../protocol/index.js';
import { openSocket, type Socket } from '../link/socket.js';

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
}

const start: SessionStore = {
  ...{ state: undefined, focus: null, canUndo: false, canRedo: false, tour: undefined, notes: [] },
  ...{ link: 'connecting', host: { alive: true }, models: [], fault: undefined },
};
const retryMs = 1000;

/** A state with a change in it, as the server will make it. */
const changed = (state: ExperimentState, change: Change): ExperimentState =>
  Object.fromEntries(
    Object.entries({ ...state, ...change }).filter(([, value]) => value !== null && value !== undefined),
  ) as ExperimentState;

/** The page's side of the session: what the user does shows at once, and other pages' changes as they come. */
export const makeSession = (): Session => {
  const [store, set] = createStore<SessionStore>({ ...start });
  let socket: Socket | undefined;
  let client: Client | undefined;
  let seq = 0;
  let ready: (() => void) | undefined;

  const told = (view: SessionView): void => {
    const isFirst = store.state === undefined;
    batch(() => {
      // What is older than the page's own latest change would undo it before the user's eyes.
      if (view.seq >= seq || isFirst) set('state', reconcile(view.state));
      set({ focus: view.focus, canUndo: view.canUndo, canRedo: view.canRedo, tour: view.tour, notes: view.notes });
      set({ host: { alive: view.host.alive, error: view.host.error }, link: 'open' });
    });
    if (isFirst) ready?.();
  };
  const take = (text: string): void => {
    const message = serverMessage.parse(JSON.parse(text));
    if (message.type === 'session') told(message);
    else if (message.type === 'models') set('models', message.models);
    else set('fault', message.error);
  };
  const open = async (): Promise<void> => {
    const opened = openSocket();
    opened.onText = take;
    socket = opened;
    seq = 0;
    void opened.over.then(() => {
      client = undefined;
      set('link', 'lost');
      setTimeout(() => void open(), retryMs);
    });
    client = await connect(opened.connector).catch(() => undefined);
    if (client) set('link', 'open');
  };
  void open();

  const send = (message: PageMessage): void => socket?.send(message);
  return {
    store,
    client: () => client,
    send,
    change: (change, gesture) => {
      if (!store.state) return;
      set('state', reconcile(changed(store.state, change)));
      send({ type: 'change', seq: ++seq, state: change, ...(gesture === undefined ? {} : { gesture }) });
    },
    look: (focus) => {
      set('focus', focus);
      send({ type: 'focus', focus });
    },
    onReady: (then) => {
      ready = then;
      if (store.state) then();
    },
  };
};
