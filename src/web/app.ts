import { createContext, createEffect, createMemo, createRoot, createSignal, useContext, type Accessor } from 'solid-js';
import { bug } from '../base/index.js';
import { isProcess, isTargetOnly, type ExperimentState, type LensCell, type SessionFocus } from '../protocol/index.js';
import { languages, type Words } from './i18n/index.js';
import { makePalette, type Palette } from './look/color.js';
import { formatAddress, parseAddress } from './state/address.js';
import { changeOn, stateOf, type Side } from './state/beside.js';
import { makeDebugging, type Debugging } from './state/debugging.js';
import { followRun } from './state/follow-run.js';
import { makeExperiment, type Experiment } from './state/experiment.js';
import { makeModel, type ModelInfo } from './state/model.js';
import { makeProgram, type Program } from './state/program.js';
import { makeResults, type Results } from './state/results.js';
import { makeSession, type Change, type Session } from './state/session.js';
import { makeView, viewDefaults, type View } from './state/view.js';

export type Source = 'model' | 'process' | 'recording';

const sourceOf = (model: string): Source => {
  if (isProcess(model)) return 'process';
  return isTargetOnly(model) ? 'recording' : 'model';
};

/** All that a panel may use. */
export interface App {
  readonly session: Session;
  readonly experiment: Experiment;
  /** Which of two runs is looked at and changed; A where there is one. */
  readonly side: Accessor<Side>;
  /** What is looked at: the session's state, or that of the run beside. */
  readonly state: Accessor<ExperimentState | undefined>;
  /** Changes what is looked at. */
  readonly change: (change: Change, gesture?: string) => void;
  /** What is known of the model that is looked at. */
  readonly model: Accessor<ModelInfo | undefined>;
  readonly results: Results;
  /** What the session is of: without a model of ours there is a run to debug, and nothing else. */
  readonly source: Accessor<Source>;
  readonly runOnly: Accessor<boolean>;
  readonly debugging: Debugging;
  readonly program: Program;
  readonly view: View;
  readonly setView: (change: Partial<View>) => void;
  /** What the page says, in its language. */
  readonly t: Accessor<Words>;
  readonly palette: Accessor<Palette>;
  /** Where everybody looks; where nothing was chosen yet, the end of the text after the last layer. */
  readonly focus: Accessor<SessionFocus | undefined>;
  /** The board's cell in focus. */
  readonly cell: Accessor<LensCell | undefined>;
  readonly look: (focus: Partial<SessionFocus>) => void;
  /** What the pointer is on, in words and numbers, for the bottom line. */
  readonly pointed: Accessor<string | undefined>;
  readonly point: (text: string | undefined) => void;
  /** The position whose alternatives are listed; undefined where what comes next is. */
  readonly forking: Accessor<number | undefined>;
  readonly fork: (position: number | undefined) => void;
  /** What a panel keeps while it is closed: made the first time that it is asked for, by its name. */
  readonly kept: <T>(name: string, make: () => T) => T;
}

/** What a state may have and need not. */
const nothingElse = { target: null, word: null, ids: null, chat: null, targetIds: null, beside: null } as const;
/** Things made once, whoever asks, and alive as long as the page is. */
const makeKept = (): App['kept'] => {
  const all = new Map<string, unknown>();
  return <T>(name: string, make: () => T): T => {
    if (!all.has(name)) all.set(name, createRoot(make));
    return all.get(name) as T;
  };
};

/** Keeps the address as what is seen, and takes what it says at the start. */
const followAddress = (app: Pick<App, 'session' | 'view'>, given: ReturnType<typeof parseAddress>): void => {
  const { session, view } = app;
  const usual = viewDefaults();
  const [isReady, setReady] = createSignal(false);
  session.onReady(() => {
    if (given.state && JSON.stringify(given.state) !== JSON.stringify(session.store.state))
      session.change({ ...nothingElse, ...given.state });
    if (given.state || given.focus) session.look(given.focus ?? null);
    setReady(true);
  });
  createEffect(() => {
    if (!isReady()) return;
    const { state, focus } = session.store;
    const hash = formatAddress({ state, focus: focus ?? undefined, view }, usual);
    if (hash !== location.hash) history.replaceState(null, '', hash);
  });
};

/** The run of two that is looked at, and changes of it. */
const makeSides = (session: Session, view: View): Pick<App, 'side' | 'state' | 'change'> => {
  const side = createMemo((): Side => (session.store.state?.beside ? view.side : 'a'));
  return {
    side,
    state: createMemo(() => session.store.state && stateOf(session.store.state, side())),
    change: (wanted, gesture) => {
      if (session.store.state) session.change(changeOn(session.store.state, side(), wanted), gesture);
    },
  };
};

export const makeApp = (): App => {
  const given = parseAddress(location.hash);
  const session = makeSession();
  const { view, setView } = makeView(given.view);
  const { side, state, change } = makeSides(session, view);
  const results = makeResults(session, side);
  const source = createMemo(() => sourceOf(state()?.model ?? ''));
  const model = makeModel(session, () => state()?.model);
  const debugging = makeDebugging(session);
  const [pointed, point] = createSignal<string>();
  const [forking, fork] = createSignal<number>();
  const focus = createMemo((): SessionFocus | undefined => {
    const board = results.board();
    if (session.store.focus) return session.store.focus;
    return (
      board && { after: board.rows.at(-1) ?? 'embed', position: results.compare()?.position ?? board.tokens.length - 1 }
    );
  });
  const cell = createMemo(() => {
    const [board, at] = [results.board(), focus()];
    return at && board?.cells[board.rows.indexOf(at.after)]?.[at.position];
  });
  const look = (change: Partial<SessionFocus>): void => {
    const { after } = change;
    // A classifier has no board, and so nowhere to look until a layer is chosen.
    const at = focus() ?? (after === undefined ? undefined : { after, position: 0 });
    if (at) session.look({ ...at, ...change });
  };
  followAddress({ session, view }, given);
  followRun({ debugging, results, look, focus });
  return {
    ...{ session, results, debugging, view, setView, focus, cell, look, pointed, point, forking, fork },
    ...{ side, state, change, model, source, runOnly: () => source() !== 'model' },
    kept: makeKept(),
    experiment: makeExperiment(state, change),
    program: makeProgram({ session, results, debugging }),
    t: () => languages[view.language],
    palette: createMemo(() => makePalette(view.theme)),
  };
};

const Context = createContext<App>();
export const AppProvider = Context.Provider;

/** The app, inside its provider. */
export const useApp = (): App => {
  const app = useContext(Context);
  if (!app) throw bug('a panel stands outside the page');
  return app;
};
