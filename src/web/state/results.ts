import { batch, createEffect, createMemo, createSignal, on, type Accessor } from 'solid-js';
import { DebuggerError } from '../../base/index.js';
import type { Client } from '../../client/index.js';
import { toWireError, type CompareResult, type Notification, type WireError } from '../../protocol/index.js';
import { makeLatest, type Latest } from '../link/latest.js';
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

const comparing = (
  client: Client,
  request: Request,
  options: { signal: AbortSignal; onTold: (n: Notification) => void },
) =>
  client.request(
    'compare',
    {
      ...{ ...request.input, versus: [], top: 40, edits: request.edits.map((text) => ({ text })) },
      words: request.word === undefined ? [] : [request.word],
    },
    options,
  );

const painted = (): Promise<number> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  });

/** What is known so far, as signals. */
const makeSignals = () => {
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
  return {
    ...{ compare, setCompare, board, setBoard, shown, setShown, busy, setBusy, word, failed },
    ...{ progress, setProgress, error, setError, latency, setLatency },
  };
};
type Signals = ReturnType<typeof makeSignals>;

/** The board of the run that is shown; a newer run stops it. */
const makeBoards = (session: Session, s: Signals): Latest<Request> =>
  makeLatest(
    async (request: Request, signal) => {
      const [client, result] = [session.client(), s.compare()];
      if (!client || !result || result.after.labels) return;
      await readBoard(client, { request, result, word: s.word()?.id, signal }, s.setBoard);
    },
    s.failed,
    { supersede: 'stop' },
  );

/** A request, and when it was made. */
interface Asked {
  readonly request: Request;
  readonly from: number;
}

/** Runs what is asked, one at a time; then its board. */
const makeRuns = (session: Session, s: Signals, boards: Latest<Request>): Latest<Asked> =>
  makeLatest(
    async ({ request, from }: Asked, signal) => {
      const client = session.client();
      if (!client) return;
      boards.cancel();
      const onTold = (told: Notification): void => {
        if (told.type === 'progress') s.setProgress({ done: told.done, total: told.total, what: told.what });
      };
      const result = await comparing(client, request, { signal, onTold });
      batch(() => {
        s.setCompare(result);
        s.setShown(request);
        s.setError(undefined);
        s.setProgress(undefined);
      });
      boards.ask(request);
      void painted().then((at) => s.setLatency(at - from));
    },
    s.failed,
    { supersede: 'wait', busy: s.setBusy },
  );

export const makeResults = (session: Session): Results => {
  const signals = makeSignals();
  const runs = makeRuns(session, signals, makeBoards(session, signals));
  const wanted = createMemo(() => requestOf(session.store), undefined, { equals: (a, b) => a?.key === b?.key });
  const again = (): void => {
    const request = wanted();
    if (request && session.store.link === 'open' && session.store.host.alive)
      runs.ask({ request, from: performance.now() });
  };
  createEffect(on([wanted, () => session.store.link, () => session.store.host.alive], again));
  return { ...signals, again, cancel: () => runs.cancel() };
};
