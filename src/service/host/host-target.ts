import { DebuggerError } from '../../base/index.js';
import type { Client } from '../../client/index.js';
import type { Looked, MoveOptions, Target } from '../../debugger/index.js';
import type {
  ChangeResult,
  DebugInput,
  MoveResult,
  Motion,
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
import { HostRun, toldTo } from './host-run.js';
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

/**
 * A run in a host's process. Points and changes are kept here, too, so that a host that dies takes nothing of them with
 * it.
 */
export class HostTarget implements Target {
  readonly #points = new Map<number, PointSpec>();
  readonly #log = new ChangeLog();
  #caught: readonly string[] = [];
  #run: HostRun;

  private constructor(
    readonly client: Client,
    readonly input: OpenInput,
    run: HostRun,
  ) {
    this.about = run.about;
    this.#run = run;
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
      const run = await HostRun.open(client, { ...input, session }, { onTold, ...(signal ? { signal } : {}) });
      return new HostTarget(client, input, run);
    } catch (error) {
      await client.dispose();
      throw signal?.aborted ? cancelled() : error;
    } finally {
      signal?.removeEventListener('abort', end);
    }
  }

  get state(): TargetState {
    return this.#run.state;
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
    const result = await this.#run.resume(motion, options).catch((error: unknown): MoveResult => {
      if (!(error instanceof DebuggerError) || error.info.code !== 'CANCELLED') throw error;
      return { stop: { reason: 'pause' }, state: this.state }; // before it began
    });
    const { point } = result.stop;
    if (point !== undefined && this.#points.get(point)?.temporary) this.#points.delete(point);
    return result;
  }

  async points(input: PointsInput): Promise<PointsResult> {
    const result = await this.#run.points(input);
    for (const id of result.removed) this.#points.delete(id);
    result.added.forEach((answer, i) => {
      const spec = input.add?.[i];
      if (spec && 'id' in answer) this.#points.set(answer.id, spec);
    });
    result.changed.forEach((answer, i) => this.#changed(answer, input.change?.[i]));
    if (input.caught) this.#caught = input.caught.filter((_, i) => 'kind' in (result.caught[i] ?? {}));
    return result;
  }

  view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    return this.#run.view(ask);
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    if (change.change === 'restart' && !this.client.isAlive) return this.#revive();
    return this.#apply(change);
  }

  dispose(): Promise<void> {
    return this.client.dispose();
  }

  async #apply(change: TargetChange): Promise<ChangeResult> {
    const { edits } = this.state;
    const result = await this.#run.apply(change);
    if (result.done) this.#log.note(change, edits);
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
    const { first, changes } = this.#log.again(this.state.edits);
    const again = againOf(this.input, this.about, { ...this.state, edits: [...first] });
    const run = await HostRun.open(this.client, { ...again, session });
    for (const change of changes) await run.apply(change);
    this.#run = run;
    const add = [...this.#points].map(([id, spec]) => ({ ...spec, id }));
    await run.points({ add, caught: [...this.#caught] });
    const notes = ['another process was started; breakpoints and changes are as they were'];
    return { done: true, notes, state: run.state };
  }
}
