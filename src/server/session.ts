import {
  experimentState,
  type ExperimentState,
  type PageMessage,
  type SessionFocus,
  type SessionView,
} from '../protocol/index.js';
import type { Journal } from '../service/host/index.js';

type Change = Extract<PageMessage, { type: 'change' }>['state'];

/** Where a session stands, as each page is told. */
export type Standing = Pick<SessionView, 'state' | 'focus' | 'canUndo' | 'canRedo'>;

const mostSteps = 500;

/** A state that is gone back to: what was made for the debugger stays, unless it is of another model. */
const backTo = (state: ExperimentState, { model, debug }: ExperimentState): ExperimentState => {
  if (state.model !== model) return state;
  const fields = Object.entries({ ...state, debug }).filter(([, value]) => value !== undefined);
  return experimentState.parse(Object.fromEntries(fields));
};

/** For another model: breakpoints at lines are of this one's listing. */
const forModel = (next: ExperimentState, before: ExperimentState): ExperimentState => {
  if (next.model === before.model || !next.debug || next.debug !== before.debug) return next;
  const points = next.debug.points.filter((point) => point.line === undefined);
  return { ...next, debug: { ...next.debug, points } };
};

/** A state with a change in it; null takes a field away. */
const changed = (state: ExperimentState, change: Change): ExperimentState => {
  const fields = Object.entries<unknown>({ ...state, ...withoutUndefined(change) });
  const next = experimentState.parse(Object.fromEntries(fields.filter(([, value]) => value !== null)));
  return change.debug || !state.debug ? next : forModel({ ...next, debug: state.debug }, state);
};

const withoutUndefined = (change: Change): object =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));

/** What a place of the run depends on. */
const textOf = ({ model, prompt, ids, chat }: ExperimentState): string => JSON.stringify([model, prompt, ids, chat]);

/** A session of a live process: what it is given to read is its own. Breakpoints and watches stay. */
export const ofProcess = (address: string): Change => ({
  ...{ model: address, prompt: '', edits: [] },
  ...{ ids: null, chat: null, target: null, targetIds: null, word: null, beside: null },
});

/** The last state that a journal has. */
export const stateIn = (journal: Journal): ExperimentState | undefined => {
  const last = journal.entries().findLast(({ kind }) => kind === 'session');
  const parsed = experimentState.safeParse(last?.data);
  return parsed.success ? parsed.data : undefined;
};

/**
 * What a user makes: model, prompt, edits; with undo and redo. Several pages may show it. Each state is written to the
 * journal, those in the middle of a gesture are not.
 */
export class Session {
  #past: ExperimentState[] = [];
  #future: ExperimentState[] = [];
  #gesture: string | undefined;
  #focus: SessionFocus | null = null;

  constructor(
    private state: ExperimentState,
    readonly journal?: Journal,
  ) {}

  get standing(): Standing {
    return {
      ...{ state: this.state, focus: this.#focus },
      ...{ canUndo: this.#past.length > 0, canRedo: this.#future.length > 0 },
    };
  }

  /** Models of this session, latest first. */
  get models(): readonly string[] {
    const kept = (this.journal?.entries() ?? []).map(({ data }) => experimentState.safeParse(data).data?.model);
    const all = [...kept, ...this.#past.map((s) => s.model), this.state.model];
    return [...new Set(all.reverse())].filter((model) => model !== undefined);
  }

  /** Changes of one gesture are one step of undo, those of the debugger alone none. @throws ZodError where the state would be none */
  change(change: Change, gesture?: string): void {
    const next = changed(this.state, change);
    if (JSON.stringify(next) === JSON.stringify(this.state)) return;
    if (Object.keys(withoutUndefined(change)).every((key) => key === 'debug')) {
      this.#set(next);
      return;
    }
    const goesOn = gesture !== undefined && gesture === this.#gesture;
    if (!goesOn) this.#past = [...this.#past, this.state].slice(-mostSteps);
    this.#gesture = gesture;
    this.#future = [];
    this.#set(next);
  }

  look(focus: SessionFocus | null): void {
    this.#focus = focus;
  }

  undo(): void {
    const last = this.#past.pop();
    if (!last) return;
    this.#future.push(this.state);
    this.#gesture = undefined;
    this.#set(backTo(last, this.state));
  }

  redo(): void {
    const next = this.#future.pop();
    if (!next) return;
    this.#past.push(this.state);
    this.#gesture = undefined;
    this.#set(backTo(next, this.state));
  }

  /** Writes down what is not written yet. @throws EngineError OUT_UNWRITABLE */
  async save(): Promise<void> {
    await this.journal?.append({ kind: 'session', data: JSON.parse(JSON.stringify(this.state)) as never });
  }

  #set(state: ExperimentState): void {
    if (textOf(state) !== textOf(this.state)) this.#focus = null;
    this.state = state;
  }
}
