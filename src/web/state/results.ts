import { batch, createEffect, createMemo, createSignal, on, type Accessor } from 'solid-js';
import { DebuggerError } from '../../base/index.js';
import type { Client } from '../../client/index.js';
import {
  isTargetOnly,
  toWireError,
  type CompareResult,
  type Notification,
  type WireError,
} from '../../protocol/index.js';
import { makeLatest, type Latest } from '../link/latest.js';
import { isAnswerFirst, withKnown } from './answer-first.js';
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
  /** Of an encoder-decoder the encoder's own. */
  readonly encoder: Accessor<Board | undefined>;
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
  /** Whether the latest run was cancelled, and nothing was run since. */
  readonly cancelled: Accessor<boolean>;
  /** Asks again, after a host was started anew, or what was cancelled. */
  again(): void;
  cancel(): void;
}

/** The word that is tracked: the one chosen, else the likeliest of the run without edits, or of A. */
const wordOf = ({ before, after }: CompareResult, hasOther: boolean) => {
  const run = hasOther ? after : before;
  return run.words[0] ?? run.next[0] ?? run.masks?.[0]?.next[0] ?? run.labels?.[0];
};

interface Options {
  readonly signal: AbortSignal;
  readonly onTold: (told: Notification) => void;
}

/** Compares; a followed word that this model's vocabulary does not have is let go. */
const comparing = async (
  client: Client,
  { request, scored }: { readonly request: Request; readonly scored: 'all' | 'answer' },
  options: Options,
): Promise<CompareResult> => {
  const ask = (words: readonly string[]): Promise<CompareResult> => {
    const edits = request.edits.map((text) => ({ text }));
    const given = { ...request.input, edits, ...versusFields(request.other), top: 40, words: [...words], scored };
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
  { request, scored }: Parameters<typeof comparing>[1],
  options: Options,
): Promise<{ readonly result: CompareResult; readonly request: Request; readonly error?: WireError }> => {
  try {
    return { result: await comparing(client, { request, scored }, options), request };
  } catch (error) {
    if (!request.other || options.signal.aborted || !(error instanceof DebuggerError)) throw error;
    const alone = { ...request, other: undefined };
    const result = await comparing(client, { request: alone, scored }, options);
    return { result, request: alone, error: toWireError(error) };
  }
};

const painted = (): Promise<number> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  });

/** What the latest run said, as signals. */
const makeAnswers = () => {
  const [compare, setCompare] = createSignal<CompareResult>();
  const [board, setBoard] = createSignal<Board>();
  const [encoder, setEncoder] = createSignal<Board>();
  const [otherBoard, setOtherBoard] = createSignal<Board>();
  const [besideError, setBesideError] = createSignal<WireError>();
  const [shown, setShown] = createSignal<Request>();
  /** What is shown is of another model or text, and nothing will come in its place. */
  const forget = (): void =>
    batch(() => {
      setCompare(undefined);
      setBoard(undefined);
      setEncoder(undefined);
      setOtherBoard(undefined);
      setShown(undefined);
    });
  return {
    ...{ compare, setCompare, board, setBoard, encoder, setEncoder, shown, setShown, forget },
    ...{ otherBoard, setOtherBoard, besideError, setBesideError },
  };
};

/** What is known so far, as signals. */
const makeSignals = () => {
  const answers = makeAnswers();
  const [busy, setBusy] = createSignal(false);
  const [progress, setProgress] = createSignal<Progress>();
  const [error, setError] = createSignal<WireError>();
  const [latency, setLatency] = createSignal<number>();
  const [cancelled, setCancelled] = createSignal(false);
  const word = createMemo(() => {
    const result = answers.compare();
    return result && wordOf(result, answers.shown()?.other !== undefined);
  });
  const failed = (cause: unknown): void => {
    setProgress(undefined);
    if (cause instanceof DebuggerError && cause.info.code === 'CANCELLED') return;
    setError(toWireError(cause));
  };
  return {
    ...{ ...answers, busy, setBusy, word, failed },
    ...{ progress, setProgress, error, setError, latency, setLatency, cancelled, setCancelled },
  };
};
type Signals = ReturnType<typeof makeSignals>;

/** Of what takes longer than this, the rest waits until a slider has come to rest: it would be in the next move's way. */
const soonMs = 50;
const restMs = 150;

/** The board of what is shown, of an encoder-decoder both. */
const readBoards = async (
  client: Client,
  given: Pick<Parameters<typeof readBoard>[1], 'request' | 'result' | 'near' | 'signal'>,
  s: Signals,
): Promise<void> => {
  const { after } = given.result;
  if (after.target === undefined) s.setEncoder(undefined);
  await readBoard(client, { ...given, word: s.word()?.id }, s.setBoard);
  if (after.target) await readBoard(client, { ...given, word: undefined, stack: 'encoder' }, s.setEncoder);
};

/** What follows an answer: what stands at each token where that was not asked for, and the board. A newer run stops it. */
const makeRests = (session: Session, s: Signals): Latest<{ request: Request; isPart: boolean }> => {
  let tookMs = 0;
  return makeLatest(
    async ({ request, isPart }, signal) => {
      const client = session.client();
      const from = performance.now();
      if (!client || !s.compare()) return;
      if (isPart) {
        const whole = await comparing(client, { request, scored: 'all' }, { signal, onTold: () => undefined });
        if (!signal.aborted && s.shown()?.key === request.key) s.setCompare(whole);
      }
      const result = s.compare();
      if (!result || signal.aborted) return;
      await readBoards(client, { request, result, near: session.store.focus?.position, signal }, s);
      tookMs = performance.now() - from;
    },
    s.failed,
    { supersede: 'stop', quietMs: () => (tookMs > soonMs ? restMs : 0) },
  );
};

/** A request, and when it was made. */
interface Asked {
  readonly request: Request;
  readonly from: number;
}

const isOther = (shown: Request | undefined, request: Request): boolean =>
  JSON.stringify(shown?.input) !== JSON.stringify(request.input);

/** Runs what is asked, one at a time; then its board. */
const makeRuns = (session: Session, s: Signals, rests: ReturnType<typeof makeRests>): Latest<Asked> =>
  makeLatest(
    async ({ request, from }: Asked, signal) => {
      const client = session.client();
      if (!client) return;
      rests.cancel();
      const known = isOther(s.shown(), request) ? undefined : s.compare();
      const isPart = isAnswerFirst(known);
      const scored = isPart ? 'answer' : 'all';
      const onTold = (told: Notification): void => {
        if (told.type === 'progress') s.setProgress(told);
      };
      const asked = comparingBeside(client, { request, scored }, { signal, onTold });
      const told = await asked.catch((error: unknown) => {
        if (!signal.aborted && isOther(s.shown(), request)) s.forget();
        throw error;
      });
      batch(() => {
        s.setCompare(isPart ? withKnown(told.result, known) : told.result);
        s.setShown(told.request);
        s.setBesideError(told.error);
        s.setError(undefined);
        s.setProgress(undefined);
      });
      const answered = performance.now();
      rests.ask({ request: told.request, isPart });
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
      if (!client || !result) return;
      const given = {
        request,
        result: turned(result),
        word: s.word()?.id,
        near: session.store.focus?.position,
        signal,
      };
      await readBoard(client, given, s.setOtherBoard);
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
  const runs = makeRuns(session, signals, makeRests(session, signals));
  const wanted = createMemo(() => requestOf(session.store), undefined, { equals: (a, b) => a?.key === b?.key });
  // Memos: the server tells the whole session at each change of it, which a look elsewhere is too.
  const canRun = createMemo(() => session.store.link === 'open' && session.store.host.alive);
  const again = (): void => {
    const request = wanted();
    signals.setCancelled(false);
    if (isTargetOnly(session.store.state?.model ?? '')) {
      runs.cancel();
      signals.forget();
    }
    if (request && canRun()) runs.ask({ request, from: performance.now() });
  };
  /** What is shown of another model or text would stand for the one that was not run. */
  const cancel = (): void => {
    const request = wanted();
    runs.cancel();
    signals.setProgress(undefined);
    signals.setCancelled(true);
    if (request && isOther(signals.shown(), request)) signals.forget();
  };
  createEffect(on([wanted, canRun, () => isTargetOnly(session.store.state?.model ?? '')], again));
  followOther(session, signals, side);
  return { ...signals, ...sided(signals, side), again, cancel };
};
