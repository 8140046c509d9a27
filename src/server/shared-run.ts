import { DebuggerError } from '../base/index.js';
import type { Client } from '../client/index.js';
import { makeExperiment, formatExperiment, parseEdits, type EditKind } from '../language/index.js';
import {
  pageRun as session,
  sessionPrompt,
  toWireError,
  type DebugSettings,
  type ExperimentState,
  type Motion,
  type MoveResult,
  type RunAct,
  type RunView,
  type ServerMessage,
  type TargetAbout,
  type TargetState,
  type TargetTold,
} from '../protocol/index.js';
import { RunPoints } from './run-points.js';

export interface SharedRunOptions {
  readonly client: Client;
  /** What the session is now. */
  readonly state: () => ExperimentState;
  /** Tells all pages. */
  readonly tell: (message: ServerMessage) => void;
}

/** What a run was opened with. */
interface Opened {
  readonly about: TargetAbout;
  readonly model: string;
  readonly text: string;
  /** Edits that only a new run can have. */
  readonly fixed: string;
  readonly points: RunPoints;
}

const nothing: DebugSettings = { points: [], watches: [], caught: [] };
/** Lines that a page which comes later is told. */
const mostTold = 1000;
/** A move that takes longer is told to go on; a step would make the page flicker. */
const longMs = 80;
/** What is told meanwhile goes out together. */
const tellEachMs = 40;

const editsOn = ({ edits }: ExperimentState): readonly string[] => edits.filter((e) => e.on).map((e) => e.text);

/** Edits of the model or the text, which are not made while a run goes on. */
const fixedKinds: ReadonlySet<EditKind> = new Set<EditKind>(['config', 'replace activation', 'prompt']);
const isFixed = (text: string): boolean => {
  try {
    return parseEdits(text).some(({ edit }) => fixedKinds.has(edit));
  } catch {
    return false; // the run refuses it, and says why
  }
};

const textOf = (state: ExperimentState): string => JSON.stringify(sessionPrompt(state));
const fixedOf = (state: ExperimentState): string => JSON.stringify(editsOn(state).filter(isFixed));

/** How a run differs from what the session is now. */
const outdatedOf = ({ model, text, fixed }: Opened, now: ExperimentState): RunView['outdated'] => {
  if (now.model !== model) return 'model';
  if (textOf(now) !== text) return 'text';
  return fixedOf(now) === fixed ? undefined : 'edits';
};

const isAtStart = ({ position: { step, at, op } }: TargetState): boolean => step === 0 && at === 0 && op === 0;

/**
 * The run under the debugger. A session has one, and all its pages show it. What is asked of it is done one thing after
 * the other; breakpoints follow the session also while it goes on.
 */
export class SharedRun {
  #phase: RunView['phase'] = 'off';
  #run = 0;
  #opened: Opened | undefined;
  #state: TargetState | undefined;
  #stop: MoveResult['stop'] | undefined;
  #loaded = '[]';
  #changed = false;
  #error: unknown;
  #notes: readonly string[] = [];
  #moving: AbortController | undefined;
  #told: readonly TargetTold[] = [];
  #untold: TargetTold[] = [];
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(readonly options: SharedRunOptions) {}

  /** What a page that comes is told. */
  greeting(): readonly ServerMessage[] {
    const run = this.#run;
    if (!this.#opened) return [];
    return [
      { type: 'about', run, about: this.#opened.about },
      { type: 'told', run, told: [...this.#told], again: true },
      { type: 'run', view: this.#view },
    ];
  }

  act(act: RunAct): Promise<void> {
    switch (act.act) {
      case 'open':
        return this.#inTurn(() => this.#open());
      case 'move':
        return this.#phase === 'running' ? this.#last : this.#inTurn(() => this.#move(act.motion));
      case 'pause':
        this.#moving?.abort();
        return this.#last;
      case 'restart':
        this.#moving?.abort();
        return this.#inTurn(async () => {
          await this.#close();
          await this.#open();
        });
      case 'close':
        this.#moving?.abort();
        return this.#inTurn(() => this.#close());
    }
  }

  /** The session was changed: the run follows. */
  async follow(): Promise<void> {
    if (!this.#opened) return;
    if (this.#phase === 'running') await this.#try(() => this.#followPoints());
    await this.#inTurn(() => this.#followEdits());
  }

  /** The host is gone, and the run with it. */
  lost(): void {
    this.#forget();
    this.#tell();
  }

  get #view(): RunView {
    const outdated = this.#opened && outdatedOf(this.#opened, this.options.state());
    return {
      ...{ phase: this.#phase, run: this.#run, changed: this.#changed, notes: [...this.#notes] },
      ...{ refused: this.#opened?.points.refused ?? [] },
      ...(this.#state ? { state: this.#state } : {}),
      ...(this.#stop ? { stop: this.#stop } : {}),
      ...(outdated ? { outdated } : {}),
      ...(this.#error === undefined ? {} : { error: toWireError(this.#error) }),
    };
  }

  #tell(): void {
    this.#flush();
    this.options.tell({ type: 'run', view: this.#view });
  }

  /** What goes wrong is told, and the run stands where it stood. */
  async #try(work: () => Promise<void>): Promise<void> {
    try {
      this.#error = undefined;
      await work();
    } catch (error) {
      if (!(error instanceof DebuggerError)) throw error;
      const isTold = error.info.code === 'CANCELLED' || error.info.code === 'HOST_DIED'; // elsewhere
      if (!isTold) this.#error = error;
      this.#phase = this.#opened ? 'stopped' : 'off';
      this.#moving = undefined;
    }
    this.#tell();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(() => this.#try(work));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #open(): Promise<void> {
    if (this.#opened) return;
    const now = this.options.state();
    const { model } = now;
    this.#run++;
    this.#phase = 'opening';
    this.#tell();
    const edits = editsOn(now).map((text) => ({ text }));
    const given = { model, binding: 'apart' as const, edits, ...sessionPrompt(now) };
    const { about, state } = await this.options.client.request('debug.open', { ...given, session });
    const points = new RunPoints(about.prompt.length);
    this.#opened = { about, model, text: textOf(now), fixed: fixedOf(now), points };
    this.#state = state;
    this.#stop = { reason: 'entry' };
    this.#loaded = JSON.stringify(editsOn(now));
    this.#changed = false;
    this.#notes = about.notes;
    this.#told = [];
    this.options.tell({ type: 'about', run: this.#run, about });
    this.options.tell({ type: 'told', run: this.#run, told: [], again: true });
    await this.#followPoints();
    this.#phase = 'stopped';
  }

  /** A run that is not open is opened: a step then shows where it begins, and only running on moves it. */
  async #move(motion: Motion): Promise<void> {
    const isNew = !this.#opened;
    if (isNew) {
      await this.#open();
      if (motion.kind !== 'continue' || motion.back) return;
    }
    await this.#followEdits();
    this.#moving = new AbortController();
    this.#phase = 'running';
    const long = setTimeout(() => this.#tell(), longMs);
    const wanted = isNew && motion.kind === 'continue' ? { ...motion, here: true } : motion;
    const { stop, state } = await this.options.client
      .request(
        'debug.move',
        { session, motion: wanted },
        { signal: this.#moving.signal, onTold: (told) => told.type === 'told' && this.#hear(told.told) },
      )
      .finally(() => clearTimeout(long));
    this.#moving = undefined;
    this.#phase = 'stopped';
    this.#state = state;
    this.#stop = stop;
    if (isAtStart(state)) this.#changed = false;
  }

  async #followPoints(): Promise<void> {
    await this.#opened?.points.follow(this.options.client, this.options.state().debug ?? nothing);
  }

  /** The session's edits in place of the run's: they count from where it stands. */
  async #followEdits(): Promise<void> {
    if (!this.#opened || !this.#state) return;
    await this.#followPoints();
    const edits = editsOn(this.options.state());
    const wanted = JSON.stringify(edits);
    if (wanted === this.#loaded || this.options.state().model !== this.#opened.model) return;
    this.#loaded = wanted; // one that is refused is not tried again
    const text = formatExperiment(makeExperiment(edits.flatMap((edit) => parseEdits(edit))));
    const change = { change: 'load' as const, text };
    const { state, notes } = await this.options.client.request('debug.apply', { session, change });
    this.#state = state;
    this.#notes = notes;
    this.#changed ||= !isAtStart(state);
  }

  async #close(): Promise<void> {
    const isOpen = this.#opened !== undefined;
    this.#forget();
    if (isOpen && this.options.client.isAlive) await this.options.client.request('debug.close', { session });
  }

  #forget(): void {
    this.#moving?.abort();
    this.#moving = undefined;
    this.#phase = 'off';
    this.#opened = undefined;
    this.#state = undefined;
    this.#stop = undefined;
    this.#changed = false;
    this.#notes = [];
    this.#told = [];
    this.#untold = [];
  }

  #hear(told: TargetTold): void {
    this.#untold.push(told);
    this.#timer ??= setTimeout(() => this.#flush(), tellEachMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const told = this.#untold;
    if (told.length === 0) return;
    this.#untold = [];
    this.#told = [...this.#told, ...told].slice(-mostTold);
    this.options.tell({ type: 'told', run: this.#run, told: told.slice(-mostTold), again: false });
  }
}
