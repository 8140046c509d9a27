import { hostname } from 'node:os';
import path from 'node:path';
import { DebuggerError } from '../../../base/index.js';
import type { Looked, MoveOptions, Target } from '../../../debugger/index.js';
import type {
  ChangeResult,
  MoveResult,
  Motion,
  PointsInput,
  PointsResult,
  TargetAbout,
  TargetChange,
  TargetPosition,
  TargetState,
  ViewAsk,
  ViewAskOf,
} from '../../../protocol/index.js';
import { againOf, HostTarget, type HostTargetOptions, type OpenInput } from '../host-target.js';
import type { JournalEntry } from '../journal.js';
import { Keeper } from './keeper.js';
import { entryOf, type KeptSession, type SessionBegun } from './kept-session.js';
import { modelNamed, removeSession } from './session-files.js';

export interface KeptTargetOptions extends HostTargetOptions {
  readonly face: SessionBegun['face'];
  /** Nothing is written down. */
  readonly isPrivate?: boolean;
  /** Whether unsaved changes outlast a session that ends as it should. */
  readonly keepsUnsaved?: boolean;
  /** Told what a user should know of what is kept. */
  readonly note: (text: string) => void;
}

/** How a session is brought back. */
export interface RestoreOptions {
  /** An editor sets its breakpoints itself. */
  readonly withoutPoints?: boolean;
  readonly move?: MoveOptions;
}

const shownText = 80;

const leftOut = (n: number, what: string): string => (n === 1 ? `1 ${what} is left out` : `${n} ${what}s are left out`);

const isSame = (a: TargetPosition, b: TargetPosition): boolean => a.step === b.step && a.at === b.at && a.op === b.op;

/**
 * A run in a host's process, of which the face keeps what the user makes: here, so that the host may die, and in a
 * journal on the disk, so that the face may, too.
 */
export class KeptTarget implements Target {
  #inner: HostTarget;
  #keeper: Keeper | undefined;
  /** What is written down once a session has been brought back as a whole. */
  #held: JournalEntry[] | undefined;
  /** The changes that are somewhere else, too. */
  #saved = '';

  private constructor(
    inner: HostTarget,
    readonly options: KeptTargetOptions,
  ) {
    this.#inner = inner;
    this.#begin(inner);
  }

  /**
   * Starts a host and opens the run in it.
   * @throws as `HostTarget.open`
   */
  static async open(input: OpenInput, options: KeptTargetOptions): Promise<KeptTarget> {
    return new KeptTarget(await HostTarget.open(input, options), options);
  }

  /**
   * Opens the run that a session was of, and makes what was made in it again.
   * @throws as `HostTarget.open`
   */
  static async reopen(session: KeptSession, options: KeptTargetOptions & RestoreOptions): Promise<KeptTarget> {
    const target = await KeptTarget.open(session.begun.input, options);
    await target.#bringBack(session, options);
    return target;
  }

  /** As it was asked for. */
  get model(): string {
    return this.#inner.input.model;
  }

  /** The host's process, while it lives. */
  get pid(): number | undefined {
    return this.#inner.client.pid;
  }

  get about(): TargetAbout {
    return this.#inner.about;
  }

  get state(): TargetState {
    return this.#inner.state;
  }

  async resume(motion: Motion, options?: MoveOptions): Promise<MoveResult> {
    const result = await this.#inner.resume(motion, options);
    const { point } = result.stop;
    const isGone = point !== undefined && !this.#inner.pointSpecs.has(point); // a temporary one
    if (isGone) await this.#keep(entryOf('points', { remove: [point] }));
    return result;
  }

  async points(input: PointsInput): Promise<PointsResult> {
    const result = await this.#inner.points(input);
    const ids = [...result.added, ...result.changed].flatMap((answer) => ('id' in answer ? [answer.id] : []));
    const add = ids.flatMap((id) => {
      const spec = this.#inner.pointSpecs.get(id);
      return spec ? [{ ...spec, id }] : [];
    });
    const isCaught = input.caught !== undefined && (input.caught.length > 0 || this.#keeper?.holds === true);
    const caught = isCaught ? { caught: [...this.#inner.caught] } : {};
    const isNew = add.length > 0 || result.removed.length > 0 || isCaught;
    if (isNew) await this.#keep(entryOf('points', { add, remove: result.removed, ...caught }));
    return result;
  }

  view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    return this.#inner.view(ask);
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    const at = this.state.backward?.from ?? this.state.position;
    const result = await this.#inner.apply(change);
    if (change.change === 'record') {
      if (change.redact !== true) this.saved();
      return result;
    }
    const isMade = result.done && (change.change !== 'restart' || this.#keeper?.holds === true);
    if (isMade) await this.#keep(entryOf('change', { at, change }));
    return result;
  }

  /** What is printed at each stop from now on, in place of what was. */
  displays(expressions: readonly string[]): Promise<void> {
    return this.#keep(entryOf('displays', { expressions: [...expressions] }));
  }

  /** The changes in force are in a file of the user's now. */
  saved(): void {
    this.#saved = this.state.edits.join('\n');
  }

  /**
   * Goes on with the run that a session was of, in place of this one, which ends.
   * @throws as `HostTarget.open`; this one then goes on
   */
  async restore(session: KeptSession, options: RestoreOptions = {}): Promise<void> {
    const inner = await HostTarget.open(session.begun.input, this.options);
    await this.dispose();
    this.#inner = inner;
    this.#begin(inner);
    await this.#bringBack(session, options);
  }

  /** Ends the session. Its journal is removed, unless there are changes that were not saved. */
  async dispose(): Promise<void> {
    const isUnsaved = this.#keeper?.holds === true && this.state.edits.join('\n') !== this.#saved;
    const keeps = isUnsaved && this.options.keepsUnsaved === true && this.#inner.input.record === undefined;
    if (keeps) this.options.note('changes were not saved: the session is kept and can be restored');
    await this.#keeper?.end(keeps ? entryOf('ended', { date: new Date().toISOString() }) : undefined);
    await this.#inner.dispose();
  }

  #begin({ input, about, state }: HostTarget): void {
    this.#saved = state.edits.join('\n');
    const isPrivate = this.options.isPrivate === true || input.redact;
    const first = this.#begun(againOf(input, about, state));
    this.#keeper = isPrivate ? undefined : new Keeper(() => entryOf('begun', first), this.options.note);
  }

  #begun(input: OpenInput): SessionBegun {
    const { about, state } = this.#inner;
    const { record } = input;
    const given = about.prompt.source ?? state.tokens.slice(0, about.prompt.length);
    return {
      ...{ session: 1, face: this.options.face, pid: process.pid, machine: hostname() },
      ...{ date: new Date().toISOString(), folder: process.cwd(), fingerprint: about.model.fingerprint },
      text: given.map((t) => t.text).join('').slice(0, shownText), // prettier-ignore
      input: {
        ...(about.kind === 'recording' ? this.#inner.input : input),
        model: modelNamed(input.model),
        ...(record === undefined ? {} : { record: path.resolve(record) }),
      },
    };
  }

  async #keep(entry: JournalEntry): Promise<void> {
    if (this.#held) this.#held.push(entry);
    else await this.#keeper?.keep(entry);
  }

  /** What was made is made again; only then is it written down here, and the old journal removed. */
  async #bringBack(session: KeptSession, { withoutPoints = false, move = {} }: RestoreOptions): Promise<void> {
    const { begun, notes, changes, file } = session;
    const held: JournalEntry[] = (this.#held = []);
    const { note } = this.options;
    if (this.about.model.fingerprint !== begun.fingerprint) note('the model is another one than in that session');
    for (const text of notes) note(`${file}: ${text}`);
    try {
      const made = await this.#remake(session, move);
      const left = withoutPoints ? 0 : await this.#setAgain(session);
      if (session.displays.length > 0) await this.displays(session.displays);
      if (made < changes.length) note(`${leftOut(changes.length - made, 'change')}; ${file} still has them all`);
      if (left > 0) note(`${leftOut(left, 'breakpoint')}; ${file} still has them all`);
      this.#held = undefined;
      for (const entry of held) await this.#keeper?.keep(entry);
      if (made === changes.length && left === 0) await removeSession(file);
    } finally {
      this.#held = undefined;
    }
  }

  /** @returns how many changes could be made again, each where it was made */
  async #remake({ begun, changes }: KeptSession, move: MoveOptions): Promise<number> {
    const paths = begun.folder === process.cwd() ? '' : ` (paths in it are relative to ${begun.folder})`;
    for (const [i, { at, change }] of changes.entries()) {
      try {
        if (!isSame(this.state.position, at)) await this.resume({ kind: 'goto', position: at }, move);
        if (!isSame(this.state.position, at)) return i;
        await this.apply(change);
      } catch (error) {
        if (!(error instanceof DebuggerError)) throw error;
        this.options.note(`a change could not be made again: ${error.message}${paths}`);
        return i;
      }
    }
    return changes.length;
  }

  /** @returns how many breakpoints could not be set */
  async #setAgain({ points, caught }: KeptSession): Promise<number> {
    if (points.length + caught.length === 0) return 0;
    const result = await this.points({ add: [...points], caught: [...caught] });
    return [...result.added, ...result.caught].filter((answer) => 'error' in answer).length;
  }
}
