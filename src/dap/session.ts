import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as afterMs } from 'node:timers/promises';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { DebuggerError, UsageError } from '../base/index.js';
import type { DebugSession, ExceptionFilter, Position } from '../debugger/index.js';
import { openDebuggee, type Debuggee, type Stop } from '../service/index.js';
import { BreakpointBook } from './breakpoints.js';
import { debugInputOf, type LaunchArguments } from './launch.js';
import { sourceOf, writeListing, type ListingFile } from './sources.js';
import { TranscriptOutput } from './transcript-output.js';
import { Variables } from './variables.js';

/** What a client can do, as it said. */
export interface Client {
  readonly paged: boolean;
  readonly invalidated: boolean;
  /** What a first line and column are called. */
  readonly firstLine: 0 | 1;
  readonly firstColumn: 0 | 1;
}

interface Live {
  readonly opened: Awaited<ReturnType<typeof openDebuggee>>;
  readonly launched: LaunchArguments;
  readonly listing: ListingFile;
  debuggee: Debuggee;
}

/** Where the session is: nothing launched, launched, standing, running, over. */
export type State = 'idle' | 'launched' | 'stopped' | 'running' | 'over';
type Motion = (session: DebugSession) => Promise<Stop>;
type Send = (event: string, body?: object) => void;

const wrongState = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'COMMAND_INVALID', hint });

const notLaunched = (): UsageError => wrongState('no model is launched', 'Send launch first.');

/** One client's debugging of one model: the run, what it is told of it, what it may ask. */
export class Session {
  client: Client = { paged: false, invalidated: false, firstLine: 1, firstColumn: 1 };
  readonly book: BreakpointBook;
  readonly variables: Variables;
  /** What an exception breakpoint found, where the run stands at one. */
  exception: Extract<Stop, { reason: 'exception' }> | undefined;
  readonly #gotoTargets = new Map<number, Position>();
  readonly #output: TranscriptOutput;
  readonly #afterwards: (() => void)[] = [];
  #exceptions: readonly ExceptionFilter[] = [];
  #targets = 0;
  #live: Live | undefined;
  #state: State = 'idle';
  #forward = true;
  #running: Promise<void> = Promise.resolve();

  constructor(readonly send: Send) {
    this.#output = new TranscriptOutput((output, category) => this.#tellText(output, category));
    this.variables = new Variables(
      () => this.debuggee,
      () => this.client.paged,
    );
    this.book = new BreakpointBook({
      console: (output, line) => this.#tellText(output, 'console', line),
      isForward: () => this.#forward,
    });
  }

  get state(): State {
    return this.#state;
  }

  get isLive(): boolean {
    return this.#live !== undefined;
  }

  get debuggee(): Debuggee {
    return this.live.debuggee;
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

  /** Opens the model; from then on breakpoints can be set. @throws as `openDebuggee` */
  async launch(launched: LaunchArguments): Promise<void> {
    if (this.#live) throw wrongState('a model is launched already', 'Disconnect, or send restart.');
    const opened = await openDebuggee(debugInputOf(launched));
    const { debuggee } = opened;
    this.#live = { opened, launched, debuggee, listing: writeListing(path.basename(launched.model), debuggee) };
    this.#state = 'launched';
    this.#watch();
    for (const note of opened.model.notes) this.#tellText(`note: ${note}\n`, 'console');
    this.afterwards(() => this.send('initialized'));
  }

  /** The client has set its breakpoints: the run begins. */
  start(): void {
    if (this.#state !== 'launched') throw wrongState('the run has begun already', 'configurationDone is sent once.');
    this.#state = 'stopped';
    if (this.live.launched.noDebug) this.#silence();
    else if (this.live.launched.stopOnEntry) {
      this.afterwards(() => this.#told({ reason: 'entry', position: this.debuggee.session.position }));
      return;
    }
    this.move((session) => this.#fromHere(session));
  }

  /** A new run of the same model, with the changes made so far. */
  async restart(): Promise<void> {
    await this.interrupt();
    this.live.debuggee = await this.live.opened.again(this.debuggee.edits);
    this.debuggee.session.exceptions = this.#exceptions;
    this.book.moveTo(this.debuggee);
    this.#watch();
    this.#state = 'launched';
    this.start();
  }

  /** What stops the run besides breakpoints. */
  catch(exceptions: readonly ExceptionFilter[]): void {
    this.#exceptions = exceptions;
    this.debuggee.session.exceptions = exceptions;
  }

  /** Moves the run once the request is answered; how it ends is told by events. */
  move(motion: Motion, { forward = true } = {}): void {
    const { session } = this.debuggee;
    this.#state = 'running';
    this.#forward = forward;
    this.#forget();
    this.afterwards(() => {
      this.#running = this.#carryOut(() => motion(session));
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
    this.debuggee.session.pause();
  }

  /** Stops a run, and waits until it stands. */
  async interrupt(): Promise<void> {
    while (this.#state === 'running') {
      this.debuggee.session.pause();
      await Promise.race([this.#running, afterMs(2)]);
    }
  }

  /** The run has other values from here on. */
  changed(): void {
    this.#forget();
    if (this.client.invalidated) this.afterwards(() => this.send('invalidated', { areas: ['variables', 'stacks'] }));
  }

  holdTarget(position: Position): number {
    this.#gotoTargets.set(++this.#targets, position);
    return this.#targets;
  }

  target(id: number): Position {
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
    await live?.opened.model.dispose();
  }

  /** Nothing stops any more. */
  #silence(): void {
    this.book.clear(this.debuggee);
    this.catch([]);
  }

  #forget(): void {
    this.exception = undefined;
    this.#gotoTargets.clear();
    this.variables.forget();
  }

  /** Tokens are told of as they come, and the event loop gets a turn at each, so that a pause is heard. */
  #watch(): void {
    const { debuggee } = this;
    const condition = async (): Promise<boolean> => {
      if (this.#forward) this.#output.tell(debuggee);
      await nextTurn();
      return false;
    };
    debuggee.session.breakpoints.add({ label: 'tokens', condition });
  }

  /** To the first breakpoint, which may be where the run stands. */
  async #fromHere(session: DebugSession): Promise<Stop> {
    const { position, instance } = session;
    const op = instance && session.source.opsOf(instance.segment.id)[position.op];
    const breakpoint = op && (await session.breakpoints.hit({ position, instance, op }, { counting: true }));
    return breakpoint ? { reason: 'breakpoint', position, breakpoint } : session.continue();
  }

  async #carryOut(motion: () => Promise<Stop>): Promise<void> {
    try {
      const stop = await motion();
      this.#told(stop);
    } catch (error) {
      const hint = error instanceof DebuggerError ? `. ${error.info.hint}` : '';
      const text = `${error instanceof Error ? error.message : String(error)}${hint}`;
      this.#tellText(`${text}\n`, 'stderr');
      this.#stopped({ reason: 'exception', description: 'the run failed', text });
    }
  }

  #told(stop: Stop): void {
    const { debuggee } = this;
    this.#output.tell(debuggee);
    if (stop.reason === 'end') {
      this.#ended();
      return;
    }
    this.#stopped(this.#toldOf(stop));
  }

  #toldOf(stop: Stop): { readonly reason: string } & Readonly<Record<string, unknown>> {
    switch (stop.reason) {
      case 'breakpoint':
      case 'data': {
        const known = this.book.find(stop.breakpoint.id);
        const description =
          stop.reason === 'data'
            ? `${stop.breakpoint.label ?? ''}: ${String(stop.before)} → ${String(stop.after)}`
            : undefined;
        return { reason: known?.kind ?? 'breakpoint', hitBreakpointIds: known ? [known.id] : [], description };
      }
      case 'exception':
        this.exception = stop;
        return { reason: 'exception', description: stop.description, text: stop.description };
      case 'beginning':
        return { reason: 'step', description: 'this is the beginning' };
      default:
        return { reason: stop.reason };
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
