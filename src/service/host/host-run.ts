import type { Client, RequestOptions } from '../../client/index.js';
import type { Looked, MoveOptions, Target } from '../../debugger/index.js';
import type {
  ChangeResult,
  HostOutput,
  HostParams,
  Motion,
  MoveResult,
  Notification,
  PointsInput,
  PointsResult,
  TargetAbout,
  TargetChange,
  TargetState,
  ViewAsk,
  ViewAskOf,
} from '../../protocol/index.js';

/** Hands on what a host tells of a request. */
export const toldTo =
  ({ onTold, onProgress }: Pick<MoveOptions, 'onTold' | 'onProgress'>) =>
  (notified: Notification): void => {
    if (notified.type === 'told') onTold?.(notified.told);
    else if (notified.type === 'progress') onProgress?.(notified);
  };

/** A run in a host's process, by the name that it was opened under. */
export class HostRun implements Target {
  readonly about: TargetAbout;
  #state: TargetState;

  private constructor(
    readonly client: Client,
    readonly session: string,
    { about, state }: HostOutput<'debug.open'>,
  ) {
    this.about = about;
    this.#state = state;
  }

  /** @throws what the host answers; EngineError HOST_DIED, CANCELLED */
  static async open(client: Client, input: HostParams<'debug.open'>, options: RequestOptions = {}): Promise<HostRun> {
    return new HostRun(client, input.session, await client.request('debug.open', input, options));
  }

  get state(): TargetState {
    return this.#state;
  }

  async resume(motion: Motion, { signal, ...listening }: MoveOptions = {}): Promise<MoveResult> {
    const { client, session } = this;
    const options = { ...(signal ? { signal } : {}), onTold: toldTo(listening) };
    const result = await client.request('debug.move', { session, motion }, options);
    this.#state = result.state;
    return result;
  }

  points(input: PointsInput): Promise<PointsResult> {
    return this.client.request('debug.points', { session: this.session, ...input });
  }

  async view<K extends ViewAsk['ask']>(ask: ViewAskOf<K>): Promise<Looked<K>> {
    const { result, payload } = await this.client.requestBytes('debug.view', { session: this.session, ask });
    const hasBytes = ask.ask === 'bytes' || payload.length > 0;
    return { ...(result as Looked<K>), ...(hasBytes ? { bytes: payload } : {}) };
  }

  async apply(change: TargetChange): Promise<ChangeResult> {
    const result = await this.client.request('debug.apply', { session: this.session, change });
    this.#state = result.state;
    return result;
  }

  async dispose(): Promise<void> {
    if (this.client.isAlive) await this.client.request('debug.close', { session: this.session });
  }
}
