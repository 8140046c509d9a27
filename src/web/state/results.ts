import { batch, createEffect, createMemo, createSignal, on, type Accessor } from 'solid-js';
import { DebuggerError } from '../../base/index.js';
import type { Client } from '../../client/index.js';
import { toWireError, type CompareResult, type Notification, type WireError } from '../../protocol/index.js';
import { makeLatest, type Latest } from '../link/latest.js';
import type { Side } from './beside.js';
import { pairBoards } from './difference.js';
import { readBoard, type Board } from './board.js';
import { requestOf, type Request } from './request.js';
import { turned, turnedRequest, versusFields } from './turned.js';
import type { Session } from './session.js';

/** How far something is that takes time. */
export type Progress = Pick<Extract<Notification, { type: 'progress' }>, 'done' | 'total' | 'what' | 'bytes'>;

/**
 * What the model says of the session's prompt, with its edits and without them; where there is a run beside, `before`
 * is that run. Of the two runs `compare`, `board` and `shown` are of the one that is looked at.
 */
export interface Results {
  /** The latest that came; it stays while the next is computed. */
  readonly compare: Accessor<CompareResult | undefined>;
  readonly board: Accessor<Board | undefined>;
  /** The request that `compare` is of; panels ask for what they show of it. */
  readonly shown: Accessor<Request | undefined>;
  /** The other run's board, where there is one. */
  readonly otherBoard: Accessor<Board | undefined>;
  /** Why the run beside is not shown. */
  readonly besideError: Accessor<WireError | undefined>;
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

/** The word that is tracked: the one chosen, else the likeliest of the run without edits, or of A. */
const wordOf = ({ before, after }: CompareResult, hasOther: boolean) => {
  const run = hasOther ? after : before;
  return run.words[0] ?? run.next[0] ?? run.masks?.[0]?.next[0];
};

interface Options {
  readonly signal: AbortSignal;
  readonly onTold: (told: Notification) => void;
}

/** Compares; a followed word that this model's vocabulary does not have is let go. */
const comparing = async (client: Client, request: Request, options: Options): Promise<CompareResult> => {
  const ask = (words: readonly string[]): Promise<CompareResult> => {
    const edits = request.edits.map((text) => ({ text }));
    const given = { ...request.input, edits, ...versusFields(request.other), top: 40, words: [...words] };
    return client.request('compare', given, options);
  };
  if (request.word === undefined) return ask([]);
  return ask([request.word]).catch((error: unknown) => {
    const isWord = error instanceof DebuggerError && error.message.startsWith(JSON.stringify(request.word));
    if (!isWord) throw error;
    return ask([]);
  });
};

/** Why two runs are not compared, though each may be fine: only then the first is shown by itself. */
const comparingBeside = async (
  client: Client,
  request: Request,
  options: Options,
): Promise<{ readonly result: CompareResult; readonly request: Request; readonly error?: WireError }> => {
  try {
    return { result: await comparing(client, request, options), request };
  } catch (error) {
    if (!request.other || options.signal.aborted || !(error instanceof DebuggerError)) throw error;
    const alone = { ...request, other: undefined };
    return { result: await comparing(client, alone, options), request: alone, error: toWireError(error) };
  }
};

const painted = (): Promise<number> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  });

/** What is known so far, as signals. */
const makeSignals = () => {
  const [compare, setCompare] = createSignal<CompareResult>();
  const [board, setBoard] = createSignal<Board>();
  const [otherBoard, setOtherBoard] = createSignal<Board>();
  const [besideError, setBesideError] = createSignal<WireError>();
  const [shown, setShown] = createSignal<Request>();
  const [busy, setBusy] = createSignal(false);
  const [progress, setProgress] = createSignal<Progress>();
  const [error, setError] = createSignal<WireError>();
  const [latency, setLatency] = createSignal<number>();
  const word = createMemo(() => {
    const result = compare();
    return result && wordOf(result, shown()?.other !== undefined);
  });
  const failed = (cause: unknown): void => {
    setProgress(undefined);
    if (cause instanceof DebuggerError && cause.info.code === 'CANCELLED') return;
    setError(toWireError(cause));
  };
  /** What is shown is of another model or text, and nothing will come in its place. */
  const forget = (): void =>
    batch(() => {
      setCompare(undefined);
      setBoard(undefined);
      setOtherBoard(undefined);
      setShown(undefined);
    });
  return {
    ...{ forget, compare, setCompare, board, setBoard, shown, setShown, busy, setBusy, word, failed },
    ...{ otherBoard, setOtherBoard, besideError, setBesideError },
    ...{ progress, setProgress, error, setError, latency, setLatency },
  };
};
type Signals = ReturnType<typeof makeSignals>;

/** The board of the run that is shown; a newer run stops it. */
const makeBoards = (session: Session, s: Signals): Latest<Request> =>
  makeLatest(
    async (request: Request, signal) => {
      const [client, result] = [session.client(), s.compare()];
      if (!client || !result) return;
      if (result.after.labels) {
        s.setBoard(undefined);
        return;
      }
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

const isOther = (shown: Request | undefined, request: Request): boolean =>
  JSON.stringify(shown?.input) !== JSON.stringify(request.input);

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
      const told = await comparingBeside(client, request, { signal, onTold }).catch((error: unknown) => {
        if (!signal.aborted && isOther(s.shown(), request)) s.forget();
        throw error;
      });
      batch(() => {
        s.setCompare(told.result);
        s.setShown(told.request);
        s.setBesideError(told.error);
        s.setError(undefined);
        s.setProgress(undefined);
      });
      const answered = performance.now();
      boards.ask(told.request);
      void painted().then((at) => {
        // For the browser's profiler.
        performance.measure('answer', { start: from, end: answered });
        performance.measure('paint', { start: answered, end: at });
        s.setLatency(at - from);
      });
    },
    s.failed,
    { supersede: 'wait', busy: s.setBusy },
  );

/** Reads the board of the run beside, while it is looked at. */
const followOther = (session: Session, s: Signals, side: Accessor<Side>): void => {
  const reads = makeLatest(
    async (request: Request, signal) => {
      const [client, result] = [session.client(), s.compare()];
      if (!client || !result || result.before.labels) return;
      await readBoard(client, { request, result: turned(result), word: s.word()?.id, signal }, s.setOtherBoard);
    },
    s.failed,
    { supersede: 'stop' },
  );
  createEffect(
    on([s.shown, side], ([request, at]) => {
      const other = request && turnedRequest(request);
      if (!other) s.setOtherBoard(undefined);
      else if (at !== 'a') reads.ask(other);
    }),
  );
};

/** The results as they are looked at: B's in A's place where that side is chosen. */
const sided = (s: Signals, side: Accessor<Side>) => {
  const isTurned = createMemo(() => side() === 'b' && s.shown()?.other !== undefined);
  const request = createMemo(() => {
    const own = s.shown();
    return isTurned() && own ? turnedRequest(own) : own;
  });
  const result = createMemo(() => {
    const own = s.compare();
    return isTurned() && own ? turned(own) : own;
  });
  return {
    ...{ compare: result, shown: request },
    board: createMemo(() => {
      const [own, other] = [s.board(), s.otherBoard()];
      if (isTurned()) return other;
      return side() === 'difference' && own && other ? pairBoards(own, other) : own;
    }),
    otherBoard: createMemo(() => (isTurned() ? s.board() : s.otherBoard())),
  };
};

export const makeResults = (session: Session, side: Accessor<Side>): Results => {
  const signals = makeSignals();
  const runs = makeRuns(session, signals, makeBoards(session, signals));
  const wanted = createMemo(() => requestOf(session.store), undefined, { equals: (a, b) => a?.key === b?.key });
  const again = (): void => {
    const request = wanted();
    if (request && session.store.link === 'open' && session.store.host.alive)
      runs.ask({ request, from: performance.now() });
  };
  createEffect(on([wanted, () => session.store.link, () => session.store.host.alive], again));
  followOther(session, signals, side);
  return { ...signals, ...sided(signals, side), again, cancel: () => runs.cancel() };
};
