import { DebuggerError } from '../../base/index.js';
import type { Client } from '../../client/index.js';
import type { Looked, MoveOptions, Target } from '../../debugger/index.js';
import type {
  ChangeResult,
  DebugInput,
  MoveResult,
  Motion,
  Notification,
  PointsInput,
  PointsResult,
  PointSpec,
  ProgressPart,
  TargetAbout,
  TargetChange,
  TargetState,
  ViewAsk,
  ViewAskOf,
} from '../../protocol/index.js';
import { cancelled } from '../cancel.js';
import { ChangeLog } from './change-log.js';
import { startHost } from './start.js';

/** What a run is opened with. */
export type OpenInput = Omit<DebugInput, 'x'>;

/** The name of the one run of a host that is a debugger's own. */
const session = 'debugged';

export interface HostTargetOptions {
  /** Told when the host is gone: `apply({ change: 'restart' })` starts another, with what was made. */
  readonly onDeath?: (error: DebuggerError) => void;
  /** While it is opened: how far that is; aborting the signal ends the host at once. */
  readonly onProgress?: (part: ProgressPart) => void;
  readonly signal?: AbortSignal;
}

/** The request that begins again what was begun: the same prompt, as ids, and the changes in force. */
export const againOf = (input: OpenInput, { prompt }: TargetAbout, { tokens, edits }: TargetState): OpenInput => {
  const { model, device, engine, binding, threads, maxNewTokens, ignoreEos, redact, record, recordSites } = input;
  const ids = tokens.slice(0, prompt.length).map((t) => t.id);
  const given = prompt.source ? { ids: prompt.source.map((t) => t.id), targetIds: ids.slice(1) } : { ids };
  return {
    ...{ model, device, engine, binding, threads, maxNewTokens, ignoreEos, redact, record, recordSites, force: true },
    ...{ ...given, edits: edits.map((text) => ({ text })) },
  };
};

/** Hands on what a host tells of a request. */
const toldTo =
  ({ onTold, onProgress }: Partial<Pick<MoveOptions, 'onTold' | 'onProgress'>>) =>
  (notified: Notification): void => {
    if (notified.type === 'told') onTold?.(notified.told);
    else if (notified.type === 'progress') onProgress?.(notified);
  };

/**
 * A run in a host's process. Points and changes are kept here, too, so that a host that dies takes nothing of them with
 * it.
 */
export class HostTarget implements Target {
  readonly #points = new Map<number, PointSpec>();
  readonly #log = new ChangeLog();
  #caught: readonly string[] = [];
  #state: TargetState;

  private constructor(
    readonly client: Client,
    readonly input: OpenInput,
    opened: { readonly about: TargetAbout; readonly state: TargetState },
  ) {
    this.about = opened.about;
    this.#state = opened.state;
  }

  readonly about: TargetAbout;

  /**
   * Starts a host and opens the run in it.
   * @throws as `openTarget`; EngineError HOST_DIED, CANCELLED
   */
  static async open(input: OpenInput, options: HostTargetOptions = {}): Promise<HostTarget> {
    const { onDeath, onProgress, signal } = options;
    const client = await startHost(onDeath ? { onDeath } : {});
    const end = (): void => void client.dispose();
    signal?.addEventListener('abort', end, { once: true });
    try {
      const onTold = toldTo(onProgress ? { onProgress } : {});
      const request = client.request('debug.open', { ...input, session }, { onTold, ...(signal ? { signal } : {}) });
      return new HostTarget(client, input, await request);
    } catch (error) {
      await client.dispose();
      throw signal?.aborted ? cancelled() : error;
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }

  get state(): TargetState {
    return this.#state;
  }

  /** The breakpoints that there are, by their numbers. */
  get pointSpecs(): ReadonlyMap<number, PointSpec> {
    return this.#points;
  }

  /** The exceptions that stop the run. */
  get caught(): readonly string[] {
    return this.#caught;
  }

  async resume(motion: Motion, options: MoveOptions = {}): Promise<MoveResult> {
    const result = await this.#move(motion, options).catch((error: unknown): MoveResult => {
      if (!(error instanceof DebuggerError) || error.info.code !== 'CANCELLED') throw error;
      return { stop: { reason: 'pause' }, state: this.#state }; // before it began
    });
    this.#state = result.state;
    const { point } = result.stop;
    if (point !== undefined && this.#points.get(point)?.temporary) this.#points.delete(point);
    return result;
  }

  #move(motion: Motion, { signal, ...listening }: MoveOptions): Promise<MoveResult> {
    return this.client.request(
      'debug.move',
      { session, motion },
      { ...(signal ? { signal } : {}), onTold: toldTo(listening) },
    );
  }

  async points(input: PointsInput): Promise<PointsResult> {
    const result = await this.client.request('debug.points', { session, ...input });
    for (const id of result.removed) this.#points.delete(id);
    result.added.forEach((answer, i) => {
      const spec = input.add?.[i];
      if (spec && 'id' in answer) this.#points.set(answer.id, spec);
    });
    result.changed.forEach((answer, i) => this.#changed(answer, input.change?.[i]));
    if (input.caught) this.#caught = input.caught.filter((_, i) => 'kind' in (result.caught[i] ?? {}));
    return result;
  }

  async view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    const { result, payload } = await this.client.requestBytes('debug.view', { session, ask });
    return { ...(result as Looked<K>), ...(ask.ask === 'bytes' ? { bytes: payload } : {}) };
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    if (change.change === 'restart' && !this.client.isAlive) return this.#revive();
    return this.#apply(change);
  }

  dispose(): Promise<void> {
    return this.client.dispose();
  }

  async #apply(change: TargetChange): Promise<ChangeResult> {
    const { edits } = this.#state;
    const result = await this.client.request('debug.apply', { session, change });
    if (result.done) this.#log.note(change, edits);
    this.#state = result.state;
    return result;
  }

  #changed(
    answer: PointsResult['changed'][number],
    change: NonNullable<PointsInput['change']>[number] | undefined,
  ): void {
    const spec = change && this.#points.get(change.id);
    if (!spec || !('id' in answer)) return;
    const { condition: before, ...rest } = spec;
    const condition = change.condition === undefined ? before : (change.condition ?? undefined);
    this.#points.set(answer.id, {
      ...{ ...rest, label: answer.label },
      ...(condition === undefined ? {} : { condition }),
      ...(change.ignore === undefined ? {} : { ignore: change.ignore }),
    });
  }

  /** Another host in the place of one that died; in it, too, all that was made can be undone, and made again. */
  async #revive(): Promise<ChangeResult> {
    await this.client.restart();
    const { first, changes } = this.#log.again(this.#state.edits);
    const again = againOf(this.input, this.about, { ...this.#state, edits: [...first] });
    let { state } = await this.client.request('debug.open', { ...again, session });
    for (const change of changes) ({ state } = await this.client.request('debug.apply', { session, change }));
    this.#state = state;
    const add = [...this.#points].map(([id, spec]) => ({ ...spec, id }));
    await this.client.request('debug.points', { session, add, caught: [...this.#caught] });
    return { done: true, notes: ['another process was started; breakpoints and changes are as they were'], state };
  }
}
