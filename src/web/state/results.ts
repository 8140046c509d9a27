import { createEffect, createMemo, createSignal, on, type Accessor } from 'solid-js';
import { DebuggerError } from '../../base/index.js';
import type { Client } from '../../client/index.js';
import { toWireError, type CompareResult, type Notification, type WireError } from '../../protocol/index.js';
import { makeLatest } from '../link/latest.js';
import { readBoard, type Board } from './board.js';
import { requestOf, type Request } from './request.js';
import type { Session } from './session.js';

/** How far something is that takes time. */
export type Progress = Pick<Extract<Notification, { type: 'progress' }>, 'done' | 'total' | 'what'>;

/** What the model says of the session's prompt, with its edits and without them. */
export interface Results {
  /** The latest that came; it stays while the next is computed. */
  readonly compare: Accessor<CompareResult | undefined>;
  readonly board: Accessor<Board | undefined>;
  /** The request that `compare` is of; panels ask for what they show of it. */
  readonly shown: Accessor<Request | undefined>;
  /** The token whose standing is shown. */
  readonly word: Accessor<{ readonly id: number; readonly text: string } | undefined>;
  readonly busy: Accessor<boolean>;
  readonly progress: Accessor<Progress | undefined>;
  readonly error: Accessor<WireError | undefined>;
  /** Milliseconds from the latest change to its painted answer. */
  readonly latency: Accessor<number | undefined>;
  /** Asks again, after a host was started anew. */
  again(): void;
  cancel(): void;
}

/** The word that is tracked: the one chosen, else the likeliest of the run without edits. */
const wordOf = ({ before }: CompareResult) => before.words[0] ?? before.next[0] ?? before.masks?.[0]?.next[0];

const comparing = (client: Client, request: Request, options: { signal: AbortSignal; onTold: (n: Notification) => void }) =>
  client.request(
    'compare',
    {
      ...{ ...request.input, versus: [], top: 12, edits: request.edits.map((text) => ({ text })) },
      words: request.word === undefined ? [] : [request.word],
    },
    options,
  );

const painted = (): Promise<number> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  });

export const makeResults = (session: Session): Results => {
  const [compare, setCompare] = createSignal<CompareResult>();
  const [board, setBoard] = createSignal<Board>();
  const [shown, setShown] = createSignal<Request>();
  const [busy, setBusy] = createSignal(false);
  const [progress, setProgress] = createSignal<Progress>();
  const [error, setError] = createSignal<WireError>();
  const [latency, setLatency] = createSignal<number>();
  const word = createMemo(() => {
    const result = compare();
    return result && wordOf(result);
  });
  const failed = (cause: unknown): void => {
    setProgress(undefined);
    if (cause instanceof DebuggerError && cause.info.code === 'CANCELLED') return;
    setError(toWireError(cause));
  };
  const onTold = (told: Notification): void => {
    if (told.type === 'progress') setProgress({ done: told.done, total: told.total, what: told.what });
  };
  const boards = makeLatest(
    async (request: Request, signal: AbortSignal) => {
      const client = session.client();
      const [result, tracked] = [compare(), word()];
      if (client && result && !result.after.labels) await readBoard(client, { request, result, word: tracked?.id, signal }, setBoard);
    },
    failed,
    { supersede: 'stop' },
  );
  const runs = makeLatest(
    async ({ request, from }: { readonly request: Request; readonly from: number }, signal: AbortSignal) => {
      const client = session.client();
      if (!client) return;
      boards.cancel();
      const result = await comparing(client, request, { signal, onTold });
      setCompare(result);
      setShown(request);
      setError(undefined);
      setProgress(undefined);
      boards.ask(request);
      void painted().then((at) => setLatency(at - from));
    },
    failed,
    { supersede: 'wait', busy: setBusy },
  );
  const wanted = createMemo(() => requestOf(session.store), undefined, { equals: (a, b) => a?.key === b?.key });
  const ask = (request: Request | undefined): void => {
    if (request && session.store.link === 'open' && session.store.host.alive)
      runs.ask({ request, from: performance.now() });
  };
  createEffect(on([wanted, () => session.store.link, () => session.store.host.alive], ([request]) => ask(request)));
  const again = (): void => ask(wanted());
  return { compare, board, shown, word, busy, progress, error, latency, again, cancel: () => runs.cancel() };
};
