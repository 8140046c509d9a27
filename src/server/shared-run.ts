import { DebuggerError } from '../base/index.js';
import type { Client } from '../client/index.js';
import type { Looked, Target } from '../debugger/index.js';
import { makeExperiment, formatExperiment, parseEdits, type EditKind } from '../language/index.js';
import {
  isProcess,
  isTargetOnly,
  pageRun,
  sessionPrompt,
  toWireError,
  type DebugSettings,
  type ExperimentState,
  type HostParams,
  type Motion,
  type MoveResult,
  type RunAct,
  type RunView,
  type ServerMessage,
  type TargetState,
  type TargetTold,
  type ViewAsk,
} from '../protocol/index.js';
import { HostRun } from '../service/host/index.js';
import type { LiveTarget } from '../service/index.js';
import type { Processes } from './processes.js';
import { RunPoints } from './run-points.js';

export interface SharedRunOptions {
  readonly client: Client;
  readonly processes: Processes;
  /** What the session is now. */
  readonly state: () => ExperimentState;
  /** Tells all pages. */
  readonly tell: (message: ServerMessage) => void;
}

/** What a run was opened with. */
interface Opened {
  readonly target: Target;
  /** A live process: the server holds it itself, so that no model's run can be in its way. */
  readonly live?: LiveTarget;
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

/** What the host is to run; of a recording nothing is run. */
const hostedOf = (now: ExperimentState, edits: readonly string[]): HostParams<'debug.open'> => {
  const { model } = now;
  if (isTargetOnly(model)) return { session: pageRun, model };
  const run = { binding: 'apart' as const, edits: edits.map((text) => ({ text })), ...sessionPrompt(now) };
  return { session: pageRun, model, ...run };
};

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

/** What changes that a run is given are written as; a process has more of them than our own language. */
const textOfEdits = (edits: readonly string[], isLive: boolean): string =>
  isLive ? edits.join('\n') : formatExperiment(makeExperiment(edits.flatMap((edit) => parseEdits(edit))));

/** How a run of a model differs from what the session is now. */
const outdatedOf = ({ target, model, text, fixed }: Opened, now: ExperimentState): RunView['outdated'] => {
  if (target.about.kind !== 'engine') return undefined;
  if (now.model !== model) return 'model';
  if (textOf(now) !== text) return 'text';
  return fixedOf(now) === fixed ? undefined : 'edits';
};

const isAtStart = ({ backward, position }: TargetState): boolean => {
  const { step, at, op } = backward?.from ?? position;
  return step === 0 && at === 0 && op === 0;
};

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
  #error: DebuggerError | undefined;
  #ended: string | undefined;
  #notes: readonly string[] = [];
  #moving: AbortController | undefined;
  #told: readonly TargetTold[] = [];
  #untold: TargetTold[] = [];
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();

  /** The session's model that the run followed last. */
  #model: string;

  constructor(readonly options: SharedRunOptions) {
    this.#model = options.state().model;
  }

  /** What a page that comes is told. */
  greeting(): readonly ServerMessage[] {
    const run = this.#run;
    const isTold = this.#ended !== undefined || this.#error !== undefined; // why there is none
    if (!this.#opened) return isTold ? [{ type: 'run', view: this.#view }] : [];
    return [
      { type: 'about', run, about: this.#opened.target.about },
      { type: 'told', run, told: [...this.#told], again: true },
      { type: 'run', view: this.#view },
    ];
  }

  /** Opens at the start what is there to be debugged alone. @throws why that cannot be opened */
  async begin(): Promise<void> {
    if (!this.#opensItself) return;
    await this.act({ act: 'open' });
    if (!this.#opened && this.#error) throw this.#error;
  }

  /** To the session's process, also where one was attached to before. */
  attach(): Promise<void> {
    this.#model = this.options.state().model;
    return this.act({ act: 'restart' });
  }

  /** Looks at a process that is attached to; undefined of any other run, which the host looks at. */
  look(ask: ViewAsk): Promise<Looked<ViewAsk['ask']>> | undefined {
    return this.#opened?.live?.view(ask);
  }

  /** No page is there: a run of ours pauses, a process goes on as it does. */
  left(): Promise<void> {
    return this.#opened?.live ? this.#last : this.act({ act: 'pause' });
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
    const { model } = this.options.state();
    const isOther = model !== this.#model;
    this.#model = model;
    // A run of a model stays while another is looked at; a process is not held for longer than it is shown.
    if (isOther && (isTargetOnly(model) || isTargetOnly(this.#opened?.model ?? ''))) {
      this.#moving?.abort();
      await this.#inTurn(() => this.#close());
      if (this.#opensItself) await this.act({ act: 'open' });
      return;
    }
    if (!this.#opened) return;
    if (this.#phase === 'running') await this.#try(() => this.#followPoints());
    await this.#inTurn(() => this.#followEdits());
  }

  /** The host is gone, and the run with it, unless it is of a process. */
  lost(): void {
    if (this.#opened?.live) return;
    this.#forget();
    this.#tell();
  }

  /** Lets a process go, and ends a run of ours. */
  dispose(): Promise<void> {
    return this.act({ act: 'close' });
  }

  get #opensItself(): boolean {
    const { state, processes } = this.options;
    const { model } = state();
    return isTargetOnly(model) && (!isProcess(model) || processes.knows(model));
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
      ...(this.#ended === undefined ? {} : { ended: this.#ended }),
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
      if (error.info.code === 'AGENT_LOST') await this.#close(); // of several ranks the others are let go
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
    this.#ended = undefined;
    this.#tell();
    const edits = isTargetOnly(model) ? [] : editsOn(now);
    const opened = await this.#opening(now, edits);
    const { about, state } = opened.target;
    const points = new RunPoints(about.prompt.length);
    this.#opened = { ...opened, model, text: textOf(now), fixed: fixedOf(now), points };
    this.#state = state;
    this.#stop = { reason: 'entry' };
    this.#loaded = JSON.stringify(edits);
    this.#changed = false;
    this.#notes = about.notes;
    this.#told = [];
    this.options.tell({ type: 'about', run: this.#run, about });
    this.options.tell({ type: 'told', run: this.#run, told: [], again: true });
    await this.#followPoints();
    this.#phase = 'stopped';
    await this.#followEdits();
  }

  async #opening(now: ExperimentState, edits: readonly string[]): Promise<Pick<Opened, 'target' | 'live'>> {
    const { client, processes } = this.options;
    if (!isProcess(now.model)) return { target: await HostRun.open(client, hostedOf(now, edits)) };
    const run = this.#run;
    const onDeath = (error: DebuggerError): void => void this.#inTurn(() => this.#died(run, error));
    const live = await processes.attach(now.model, { onDeath, onNews: () => this.#news(run) });
    return { target: live, live };
  }

  /** A process is gone without a word. */
  async #died(run: number, error: DebuggerError): Promise<void> {
    if (run !== this.#run || !this.#opened) return;
    await this.#close();
    throw error;
  }

  /** A process came to a breakpoint, or its end, while nobody waited for it. */
  #news(run: number): void {
    void this.#inTurn(async () => {
      const isNews = run === this.#run && this.#opened?.live?.hasNews;
      if (isNews) await this.#move({ kind: 'continue' });
    });
  }

  /** A run that is not open is opened: a step then shows where it begins, and only running on moves it. */
  async #move(motion: Motion): Promise<void> {
    const isNew = !this.#opened;
    if (isNew) {
      await this.#open();
      if (motion.kind !== 'backward' && (motion.kind !== 'continue' || motion.back)) return;
    }
    await this.#followEdits();
    this.#moving = new AbortController();
    this.#phase = 'running';
    const long = setTimeout(() => this.#tell(), longMs);
    const wanted = isNew && motion.kind === 'continue' ? { ...motion, here: true } : motion;
    const { signal } = this.#moving;
    const { target } = this.#opened ?? {};
    const moved = target?.resume(wanted, { signal, onTold: (told) => this.#hear(told) });
    const result = await moved?.finally(() => clearTimeout(long));
    this.#moving = undefined;
    if (!result || !this.#opened) return;
    const { stop, state } = result;
    this.#phase = 'stopped';
    this.#state = state;
    this.#stop = stop;
    if (isAtStart(state)) this.#changed = false;
    if (this.#opened.live && stop.reason === 'end') {
      await this.#close();
      this.#ended = stop.description ?? '';
    }
  }

  async #followPoints(): Promise<void> {
    if (!this.#opened) return;
    const { points, target } = this.#opened;
    await points.follow(target, this.options.state().debug ?? nothing);
  }

  /** The session's edits in place of the run's: they count from where it stands. */
  async #followEdits(): Promise<void> {
    if (!this.#opened || !this.#state) return;
    await this.#followPoints();
    const { target, live, model } = this.#opened;
    const edits = editsOn(this.options.state());
    const wanted = JSON.stringify(edits);
    if (wanted === this.#loaded || this.options.state().model !== model || !target.about.can.change) return;
    this.#loaded = wanted; // one that is refused is not tried again
    const text = textOfEdits(edits, live !== undefined);
    const { state, notes } = await target.apply({ change: 'load', text });
    this.#state = state;
    this.#notes = live ? target.about.notes : notes;
    this.#changed ||= !live && !isAtStart(state);
  }

  async #close(): Promise<void> {
    const target = this.#opened?.target;
    this.#forget();
    await target?.dispose();
  }

  #forget(): void {
    this.#moving?.abort();
    this.#moving = undefined;
    this.#phase = 'off';
    this.#opened = undefined;
    this.#state = undefined;
    this.#stop = undefined;
    this.#changed = false;
    this.#ended = undefined;
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
