import { batch, createEffect, createMemo, createSignal, on, type Accessor } from 'solid-js';
import { createStore, reconcile } from 'solid-js/store';
import type { z } from 'zod';
import { EngineError } from '../../base/index.js';
import {
  isProcess,
  pageRun,
  type DebugSettings,
  type Motion,
  type RunView,
  type ServerMessage,
  type SessionPoint,
  type TargetAbout,
  type TargetFrame,
  type TargetTold,
  type TargetUnit,
  type TokenView,
  type ViewAnswerOf,
  type ViewAsk,
  type viewAsk,
} from '../../protocol/index.js';
import { noSettings, toggledPoint, type PointPlace } from './points.js';
import type { Session } from './session.js';

export type LogLine = Extract<TargetTold, { told: 'log' }>;

/** What can be done with a run, as buttons, keys and the palette name it. */
export const runActions = [
  ...(['continue', 'pause', 'step', 'stepIn', 'stepOut'] as const),
  ...(['stepBack', 'reverse', 'restart', 'stop'] as const),
] as const;
export type RunAction = (typeof runActions)[number];

/** A look as it is asked for: fields with a default may be left out. */
export type AskOf<K extends ViewAsk['ask']> = Extract<z.input<typeof viewAsk>, { ask: K }>;
export type LookedBytes<K extends ViewAsk['ask']> = ViewAnswerOf<K> & { readonly bytes: Uint8Array<ArrayBuffer> };

export interface ChosenValue {
  readonly ref: string;
  readonly at: readonly number[];
}

/** The session's run under the debugger, as this page sees it: a target behind the server. */
export interface Debugging {
  readonly view: Accessor<RunView>;
  /** What the run is of; undefined where none is open. */
  readonly about: Accessor<TargetAbout | undefined>;
  /** The same, also once it is over, until the next is opened. */
  readonly lastAbout: Accessor<TargetAbout | undefined>;
  /** What log points wrote. */
  readonly log: Accessor<readonly LogLine[]>;
  readonly clearLog: () => void;
  /** The prompt and what was made, also while the run goes on. */
  readonly tokens: Accessor<readonly TokenView[]>;
  readonly isOpen: Accessor<boolean>;
  /** What a step goes on by. */
  readonly unit: Accessor<TargetUnit>;
  readonly setUnit: (unit: TargetUnit) => void;
  /** The frame that is looked at, innermost first. */
  readonly frame: Accessor<TargetFrame | undefined>;
  readonly chooseFrame: (index: number) => void;
  readonly frameIndex: Accessor<number>;
  readonly can: (action: RunAction) => boolean;
  readonly do: (action: RunAction) => void;
  readonly move: (motion: Motion) => void;
  /** How often this page asked for a move: what it looks at is then no longer wanted. */
  readonly moves: Accessor<number>;
  readonly open: () => void;
  /** Looks at where the run stands. @throws what the host answers; EngineError CANCELLED where nothing is open */
  readonly look: <K extends ViewAsk['ask']>(ask: AskOf<K>, signal?: AbortSignal) => Promise<ViewAnswerOf<K>>;
  /** The same with the bytes beside the answer. */
  readonly lookBytes: <K extends ViewAsk['ask']>(ask: AskOf<K>, signal?: AbortSignal) => Promise<LookedBytes<K>>;
  /** The value that is looked at large, and the indices of its axes before the last two. */
  readonly value: Accessor<ChosenValue | undefined>;
  readonly chooseValue: (value: ChosenValue | undefined) => void;
  readonly settings: Accessor<DebugSettings>;
  readonly set: (change: (settings: DebugSettings) => DebugSettings) => void;
  readonly toggle: (place: PointPlace) => void;
  /** The breakpoint whose condition is being written. */
  readonly editing: Accessor<SessionPoint['id'] | undefined>;
  readonly edit: (id: SessionPoint['id'] | undefined) => void;
}

const nothing: RunView = { phase: 'off', run: 0, changed: false, refused: [], notes: [] };
/** Lines of the log that are kept. */
const mostLines = 1000;

const motions: Readonly<Record<Exclude<RunAction, 'pause' | 'restart' | 'stop'>, (unit: TargetUnit) => Motion>> = {
  continue: () => ({ kind: 'continue' }),
  reverse: () => ({ kind: 'continue', back: true }),
  step: (by) => ({ kind: 'step', by }),
  stepBack: (by) => ({ kind: 'step', by, back: true }),
  stepIn: () => ({ kind: 'step', by: 'op' }),
  stepOut: () => ({ kind: 'out' }),
};

/** Actions that a run may be unable to do whatever its state: those are not shown. */
export const isAble = (action: RunAction, about: Pick<TargetAbout, 'kind' | 'can'> | undefined): boolean => {
  if (action === 'stepBack' || action === 'reverse') return about?.can.back ?? true;
  return action !== 'restart' || about?.kind !== 'process';
};

/** Is an action offered where a run is like this? */
export const isOffered = (action: RunAction, { phase, state }: Pick<RunView, 'phase' | 'state'>): boolean => {
  switch (action) {
    case 'pause':
      return phase === 'running';
    case 'continue':
    case 'step':
    case 'stepIn':
      return phase === 'stopped' || phase === 'off';
    case 'stepOut':
      return phase === 'stopped';
    case 'stepBack':
    case 'reverse': {
      const { step = 0, at = 0, op = 0 } = state?.position ?? {};
      return phase === 'stopped' && (state?.backward !== undefined || step + at + op > 0);
    }
    case 'restart':
    case 'stop':
      return phase === 'stopped' || phase === 'running';
  }
};

/** What the server tells of the run, as signals. */
const makeSignals = (session: Session) => {
  const [told, setTold] = createStore<{ view: RunView }>({ view: nothing });
  const [about, setAbout] = createSignal<TargetAbout>();
  const [last, setLast] = createSignal<{ readonly about: TargetAbout; readonly model: string | undefined }>();
  const [log, setLog] = createSignal<readonly LogLine[]>([]);
  const [making, setMaking] = createSignal<readonly TokenView[]>();
  const hear = (all: readonly TargetTold[], again: boolean): void => {
    const lines = all.filter((t) => t.told === 'log');
    setLog((before) => [...(again ? [] : before), ...lines].slice(-mostLines));
    const tokens = all.findLast((t) => t.told === 'tokens');
    const known = making() ?? told.view.state?.tokens ?? [];
    if (tokens && !again) setMaking([...known.slice(0, tokens.from), ...tokens.tokens]);
  };
  const take = (message: ServerMessage): void => {
    if (message.type === 'about')
      batch(() => {
        setAbout(message.about);
        setLast({ about: message.about, model: session.store.state?.model });
      });
    else if (message.type === 'told') hear(message.told, message.again);
    else if (message.type === 'run')
      batch(() => {
        setTold('view', reconcile(message.view));
        setMaking(undefined);
        if (message.view.phase === 'off') setAbout(undefined);
      });
  };
  session.onTold(take);
  createEffect(
    on([() => session.store.link], ([link]) => {
      if (link === 'lost') take({ type: 'run', view: nothing });
    }),
  );
  const tokens = (): readonly TokenView[] => making() ?? told.view.state?.tokens ?? [];
  const lastAbout = () => (last()?.model === session.store.state?.model ? last()?.about : undefined);
  return { view: () => told.view, about, lastAbout, log, clearLog: () => setLog([]), tokens };
};

/** The frame that is looked at: the innermost again, wherever the run stands anew. */
const useFrame = (view: Accessor<RunView>) => {
  const [frameIndex, chooseFrame] = createSignal(0);
  createEffect(on([() => view().run, () => view().state?.revision], () => chooseFrame(0)));
  const frame = createMemo(() => view().state?.frames[frameIndex()]);
  return { frame, frameIndex, chooseFrame: (index: number) => void chooseFrame(index) };
};

/** Looks at where the run stands. */
const makeLook =
  (session: Session, view: Accessor<RunView>) =>
  async <K extends ViewAsk['ask']>(ask: AskOf<K>, signal?: AbortSignal): Promise<LookedBytes<K>> => {
    const client = session.client();
    if (!client || view().phase === 'off')
      throw new EngineError('no run is open', { code: 'CANCELLED', hint: 'Start one.' });
    const params = { session: pageRun, ask };
    const { result, payload } = await client.requestBytes('debug.view', params, signal ? { signal } : {});
    return { ...(result as ViewAnswerOf<K>), bytes: payload };
  };

export const makeDebugging = (session: Session): Debugging => {
  const signals = makeSignals(session);
  const { view } = signals;
  const [unit, setUnit] = createSignal<TargetUnit>('op');
  const [editing, edit] = createSignal<number>();
  const settings = (): DebugSettings => session.store.state?.debug ?? noSettings;
  const set: Debugging['set'] = (change) => session.change({ debug: change(settings()) });
  /** A process is debugged without the host of models. */
  const isLinked = (): boolean =>
    session.store.link === 'open' && (session.store.host.alive || isProcess(session.store.state?.model ?? ''));
  const [value, chooseValue] = createSignal<ChosenValue>();
  const can = (action: RunAction): boolean =>
    isLinked() && isAble(action, signals.lastAbout()) && isOffered(action, view());
  const [moves, setMoves] = createSignal(0);
  const move = (motion: Motion): void => {
    setMoves((n) => n + 1);
    session.send({ type: 'run', act: { act: 'move', motion } });
  };
  const lookBytes = makeLook(session, view);
  return {
    ...signals,
    ...useFrame(view),
    ...{ unit, setUnit, can, move, moves, settings, set, editing, edit, value, chooseValue },
    isOpen: createMemo(() => view().phase === 'stopped' || view().phase === 'running'),
    open: () => session.send({ type: 'run', act: { act: 'open' } }),
    toggle: (place) => set((all) => toggledPoint(all, place)),
    do: (action) => {
      if (!can(action)) return;
      if (action === 'pause' || action === 'restart') session.send({ type: 'run', act: { act: action } });
      else if (action === 'stop') session.send({ type: 'run', act: { act: 'close' } });
      else move(motions[action](unit()));
    },
    ...{ look: lookBytes, lookBytes },
  };
};
