import type { Client } from '../client/index.js';
import type { Looked, MoveOptions, Target } from '../debugger/index.js';
import {
  isTargetOnly,
  pageRun as session,
  sessionPrompt,
  type ChangeResult,
  type ExperimentState,
  type Motion,
  type MoveResult,
  type PointsInput,
  type PointsResult,
  type TargetAbout,
  type TargetChange,
  type TargetState,
  type ViewAsk,
  type ViewAskOf,
} from '../protocol/index.js';

/** A run in the process of the page's host: of a model, or a recording. */
export class HostRun implements Target {
  readonly about: TargetAbout;
  #state: TargetState;

  private constructor(
    readonly client: Client,
    opened: { readonly about: TargetAbout; readonly state: TargetState },
  ) {
    this.about = opened.about;
    this.#state = opened.state;
  }

  /** What the session has to run; of a recording nothing is run. @throws what the host answers */
  static async open(client: Client, state: ExperimentState, edits: readonly string[]): Promise<HostRun> {
    const { model } = state;
    const run = { binding: 'apart' as const, edits: edits.map((text) => ({ text })), ...sessionPrompt(state) };
    const given = isTargetOnly(model) ? { model } : { model, ...run };
    return new HostRun(client, await client.request('debug.open', { ...given, session }));
  }

  get state(): TargetState {
    return this.#state;
  }

  async resume(motion: Motion, { signal, onTold }: MoveOptions = {}): Promise<MoveResult> {
    const result = await this.client.request(
      'debug.move',
      { session, motion },
      { ...(signal ? { signal } : {}), onTold: (told) => told.type === 'told' && onTold?.(told.told) },
    );
    this.#state = result.state;
    return result;
  }

  points(input: PointsInput): Promise<PointsResult> {
    return this.client.request('debug.points', { session, ...input });
  }

  async view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    const { result, payload } = await this.client.requestBytes('debug.view', { session, ask });
    return { ...(result as Looked<K>), ...(payload.length > 0 ? { bytes: payload } : {}) };
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    const result = await this.client.request('debug.apply', { session, change });
    this.#state = result.state;
    return result;
  }

  async dispose(): Promise<void> {
    if (this.client.isAlive) await this.client.request('debug.close', { session });
  }
}
