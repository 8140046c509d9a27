import path from 'node:path';
import { setTimeout as afterMs } from 'node:timers/promises';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { DebuggerError, UsageError } from '../base/index.js';
import type { Target } from '../debugger/index.js';
import type { Motion, PointSpec, TargetPosition, TargetState, TargetStop, TargetTold } from '../protocol/index.js';
import { BreakpointBook } from './breakpoints.js';
import { capabilitiesOf } from './capabilities.js';
import { Opener, type Launch, type OpenTarget } from './opener.js';
import { Progress, type ShownTask } from './progress.js';
import { sourceOf, writeListing, type ListingFile } from './sources.js';
import { TranscriptOutput } from './transcript-output.js';
import { Variables } from './variables.js';

/** What a client can do, as it said. */
export interface Client {
  readonly paged: boolean;
  readonly invalidated: boolean;
  readonly memory: boolean;
  readonly progress: boolean;
  /** What a first line and column are called. */
  readonly firstLine: 0 | 1;
  readonly firstColumn: 0 | 1;
}

interface Live {
  readonly target: Target;
  readonly launched: Launch;
  readonly listing: ListingFile;
}

/** Where the session is: nothing launched, launched, standing, running, over. */
export type State = 'idle' | 'launched' | 'stopped' | 'running' | 'over';
type Send = (event: string, body?: object) => void;

const wrongState = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'COMMAND_INVALID', hint });

/** What the listing's file is called. */
const nameOf = (input: Launch['input'], { about }: Target): string =>
  'port' in input ? about.name : path.basename(input.model);

const notLaunched = (): UsageError => wrongState('no model is launched', 'Send launch first.');

/** One client's debugging of one run: where it is, what the client is told of it, what it may ask. */
export class Session {
  client: Client = {
    ...{ paged: false, invalidated: false, memory: false, progress: false },
    ...{ firstLine: 1, firstColumn: 1 },
  };
  /** What is under way, for clients that show it. */
  readonly progress: Progress;
  readonly book: BreakpointBook;
  readonly variables: Variables;
  /** What an exception breakpoint found, where the run stands at one. */
  exception: TargetStop | undefined;
  readonly #opener: Opener;
  readonly #gotoTargets = new Map<number, TargetPosition>();
  readonly #output: TranscriptOutput;
  readonly #afterwards: (() => void)[] = [];
  #targets = 0;
  #restored: PointSpec[] = [];
  #live: Live | undefined;
  #state: State = 'idle';
  #pausing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    open: OpenTarget,
    readonly send: Send,
  ) {
    this.progress = new Progress((event, body) => (this.client.progress ? send(event, body) : undefined));
    this.#opener = new Opener(open, this.progress);
    this.#output = new TranscriptOutput((output, category) => this.#tellText(output, category));
    this.variables = new Variables(
      () => this.target,
      () => this.client.paged,
    );
    this.book = new BreakpointBook(() => this.target);
  }

  get state(): State {
    return this.#state;
  }

  get isLive(): boolean {
    return this.#live !== undefined;
  }

  get target(): Target {
    return this.live.target;
  }

  /** Where the run stands. */
  get at(): TargetState {
    return this.target.state;
  }

  /** @throws UsageError COMMAND_INVALID where nothing is launched */
  get live(): Live {
    if (!this.#live) throw notLaunched();
    return this.#live;
  }

  /** @throws UsageError COMMAND_INVALID where nothing is launched */
  checkLive(): void {
    if (!this.#live) throw notLaunched();
  }

  /**
   * Opens what is debugged; from then on breakpoints can be set.
   * @param requestId the request that asks for it, by which it can be cancelled
   * @throws as `open`
   */
  async launch(launched: Launch, requestId: number): Promise<void> {
    if (this.#live) throw wrongState('a model is launched already', 'Disconnect, or send restart.');
    const target = await this.#opener.open(launched, requestId, {
      onDeath: (error) => this.#died(error),
      note: (text) => this.#tellText(`note: ${text}\n`, 'console'),
      onTold: (told) => this.#hear(told),
      onPoints: (points) => (this.#restored = [...points]),
    });
    this.#live = { target, launched, listing: writeListing(nameOf(launched.input, target), target) };
    this.#state = 'launched';
    for (const note of [...target.about.notes, ...target.about.can.limits])
      this.#tellText(`note: ${note}\n`, 'console');
    this.afterwards(() => {
      const able = capabilitiesOf(target.about.can);
      if (able) this.send('capabilities', { capabilities: able });
      this.send('initialized');
    });
  }

  /** The client has set its breakpoints: the run begins. */
  async start(): Promise<void> {
    if (this.#state !== 'launched') throw wrongState('the run has begun already', 'configurationDone is sent once.');
    this.#state = 'stopped';
    await this.#adopt();
    if (this.live.launched.noDebug) await this.book.clear();
    else if (this.live.launched.stopOnEntry && this.target.about.kind === 'process') {
      this.move({ kind: 'step', by: 'op' }); // it runs: its entry is the next module that is called
      return;
    } else if (this.live.launched.stopOnEntry) {
      this.afterwards(() => this.#told({ reason: 'entry' }));
      return;
    }
    this.move({ kind: 'continue', here: true });
  }

  /** Breakpoints of a session that is brought back, of the kinds of which the client has set none. */
  async #adopt(): Promise<void> {
    const made = await this.book.adopt(this.#restored.splice(0));
    const { firstLine } = this.client;
    this.afterwards(() => {
      for (const { source, ...point } of made) {
        const place = source && {
          source: sourceOf(source, this.live.listing),
          line: (point.line ?? 1) - 1 + firstLine,
        };
        this.send('breakpoint', { reason: 'new', breakpoint: { ...point, ...place } });
      }
    });
  }

  /** A new run of the same model, with the changes made so far. */
  async restart(): Promise<void> {
    await this.interrupt();
    const { notes } = await this.target.apply({ change: 'restart' });
    for (const note of notes) this.#tellText(`note: ${note}\n`, 'console');
    this.#state = 'launched';
    await this.start();
  }

  /** Moves the run once the request is answered; how it ends is told by events. */
  move(motion: Motion): void {
    this.#state = 'running';
    this.#pausing = new AbortController();
    this.#forget();
    this.afterwards(() => {
      this.#running = this.#carryOut(motion);
    });
  }

  /** To be done when the present request has been answered. */
  afterwards(action: () => void): void {
    this.#afterwards.push(action);
  }

  answered(): void {
    for (const action of this.#afterwards.splice(0)) action();
  }

  pause(): void {
    if (this.#state !== 'running') throw wrongState('nothing is running', 'A run that stands need not be paused.');
    this.#pausing.abort();
  }

  /** Gives up opening; stops a run, and waits until it stands. */
  async interrupt(): Promise<void> {
    this.#opener.giveUp();
    while (this.#state === 'running') {
      this.#pausing.abort();
      await Promise.race([this.#running, afterMs(2)]);
    }
  }

  /** The run has other values from here on. */
  changed(): void {
    this.#forget();
    if (this.client.invalidated) this.afterwards(() => this.send('invalidated', { areas: ['variables', 'stacks'] }));
  }

  holdTarget(position: TargetPosition): number {
    this.#gotoTargets.set(++this.#targets, position);
    return this.#targets;
  }

  gotoTarget(id: number): TargetPosition {
    const position = this.#gotoTargets.get(id);
    if (position) return position;
    throw wrongState(
      `there is no goto target ${id} here`,
      'Ask for gotoTargets again: they count until the run moves.',
    );
  }

  /** Ends the run, and tells so. */
  async finish(): Promise<void> {
    await this.interrupt();
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.send('terminated');
  }

  async dispose(): Promise<void> {
    await this.interrupt();
    this.#state = 'over';
    const live = this.#live;
    this.#live = undefined;
    await live?.target.dispose();
  }

  #forget(): void {
    this.exception = undefined;
    this.#gotoTargets.clear();
    this.variables.forget();
  }

  async #carryOut(motion: Motion): Promise<void> {
    const { signal } = this.#pausing;
    const pass = this.#passShown();
    try {
      const { stop } = await this.target.resume(motion, {
        signal,
        onTold: (told) => {
          if (told.told === 'tokens') pass.end();
          this.#hear(told);
        },
        onProgress: (part) => pass.tell(part),
      });
      pass.end();
      this.#told(stop);
    } catch (error) {
      pass.end();
      const hint = error instanceof DebuggerError ? `. ${error.info.hint}` : '';
      const text = `${error instanceof Error ? error.message : String(error)}${hint}`;
      this.#tellText(`${text}\n`, 'stderr');
      this.#stopped({ reason: 'exception', description: 'the run failed', text });
    }
  }

  /** A slow pass, the first of which makes the weights ready; once there are tokens, these tell how far it is. */
  #passShown(): ShownTask {
    let task: ShownTask | undefined;
    let hasEnded = false;
    return {
      tell: (part) => {
        if (hasEnded) return;
        task ??= this.progress.begin({
          title: `Running ${this.target.about.name}`,
          cancel: () => this.#pausing.abort(),
        });
        task.tell(part);
      },
      end: () => {
        hasEnded = true;
        task?.end();
      },
    };
  }

  /** The process that the run is in has died: what was made is kept, and the client may send `restart`. */
  #died(error: DebuggerError): void {
    this.#forget();
    this.#tellText(`${error.message}. Restart to go on: breakpoints and changes are kept.\n`, 'important');
  }

  #hear(told: TargetTold): void {
    if (told.told === 'tokens') this.#output.tell(told);
    else this.#tellText(`${told.text}\n`, 'console', told.line);
  }

  #told(stop: TargetStop): void {
    if (stop.reason === 'end') {
      this.#ended();
      return;
    }
    this.#stopped(this.#toldOf(stop));
  }

  #toldOf(stop: TargetStop): { readonly reason: string } & Readonly<Record<string, unknown>> {
    switch (stop.reason) {
      case 'breakpoint':
      case 'data': {
        const known = stop.point === undefined ? undefined : this.book.find(stop.point);
        const description =
          stop.reason === 'data' ? `${stop.label ?? ''}: ${String(stop.before)} → ${String(stop.after)}` : undefined;
        return { reason: known?.kind ?? 'breakpoint', hitBreakpointIds: known ? [known.id] : [], description };
      }
      case 'exception':
        this.exception = stop;
        return { reason: 'exception', description: stop.description, text: stop.description };
      case 'beginning':
        return { reason: 'step', description: 'this is the beginning' };
      default:
        return { reason: stop.reason, description: stop.description };
    }
  }

  #ended(): void {
    if (this.live.launched.stopOnExit) {
      this.#stopped({ reason: 'pause', description: 'the generation has ended' });
      return;
    }
    this.#state = 'over';
    this.#tellText('\n', 'stdout');
    this.send('exited', { exitCode: 0 });
    this.send('terminated');
  }

  #stopped(body: { readonly reason: string } & Readonly<Record<string, unknown>>): void {
    this.#state = 'stopped';
    const told = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
    this.send('stopped', { ...told, threadId: 1, allThreadsStopped: true } satisfies Partial<
      DebugProtocol.StoppedEvent['body']
    >);
  }

  #tellText(output: string, category: string, line?: number): void {
    const place =
      line === undefined || !this.#live
        ? {}
        : { source: sourceOf('listing', this.#live.listing), line: line - 1 + this.client.firstLine };
    this.send('output', { category, output, ...place });
  }
}
