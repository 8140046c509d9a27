import { EngineError, type DebuggerError } from '../../../base/index.js';
import type { AgentEvent, AgentHello, AgentStanding, AttachInput } from '../../../protocol/index.js';
import { AgentConnection, type AgentSocket } from './agent-connection.node.js';

/** What a rank came to: it stands, or its process has ended. */
export type Came = { readonly came: 'stopped' } | { readonly came: 'ended'; readonly text: string };

export interface RankOptions {
  /** Log points and notes. */
  readonly onTold: (event: Extract<AgentEvent, { event: 'log' | 'note' }>) => void;
  readonly onDeath?: ((error: DebuggerError) => void) | undefined;
  /** It stands, or has ended, and nobody waits for it. */
  readonly onNews?: (() => void) | undefined;
}

const nowhere: AgentStanding = {
  ...{ pass: -1, step: 0, past: 0, prompt: 0, optimiser: 0, training: false, tokens: [], order: [], running: true },
  ...{ stack: [], slots: [], given: [] },
};

/** One process: where it stands, and what it comes to. */
export class LiveRank {
  standing: AgentStanding = nowhere;
  /** As torchrun numbers it. */
  number = 0;
  /** A stop that came while nobody waited for one. */
  #unseen = false;
  #came: ((came: Came | DebuggerError) => void) | undefined;
  #ended: string | undefined;
  #lost: DebuggerError | undefined;
  #connection: AgentConnection | undefined;

  private constructor(readonly options: RankOptions) {}

  /** @throws EngineError AGENT_UNREACHABLE, AGENT_LOST; UsageError AGENT_REFUSED */
  static async open(
    input: Pick<AttachInput, 'host' | 'port' | 'token'>,
    options: RankOptions & { readonly socket?: AgentSocket | undefined },
  ): Promise<{ readonly rank: LiveRank; readonly hello: AgentHello }> {
    const rank = new LiveRank(options);
    const { connection, hello } = await AgentConnection.open(input, {
      onEvent: (event) => rank.#hear(event),
      onLost: (error) => rank.#gone(error),
      socket: options.socket,
    });
    rank.#connection = connection;
    rank.number = hello.rank;
    return { rank, hello };
  }

  get connection(): AgentConnection {
    if (this.#connection) return this.#connection;
    throw new EngineError('there is no connection', { code: 'AGENT_LOST', hint: 'Attach again.' });
  }

  get stands(): boolean {
    return !this.standing.running;
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined || this.#lost !== undefined;
  }

  /** Goes on. */
  async resume(params: object): Promise<void> {
    this.standing = { ...this.standing, running: true };
    await this.connection.request('resume', params);
  }

  /** Runs a module again with what it was given. */
  async again(path: string): Promise<void> {
    const before = this.standing;
    this.standing = { ...before, running: true };
    try {
      await this.connection.request('again', { path });
    } catch (error) {
      this.standing = before;
      throw error;
    }
  }

  /**
   * Waits until it stands or has ended; undefined once the signal is aborted.
   * @throws EngineError AGENT_LOST
   */
  async next(signal?: AbortSignal): Promise<Came | undefined> {
    if (this.#unseen || this.stands) {
      this.#unseen = false;
      return { came: 'stopped' };
    }
    if (this.#ended !== undefined) return { came: 'ended', text: this.#ended };
    if (this.#lost) throw this.#lost;
    if (signal?.aborted) return undefined;
    const came = await new Promise<Came | DebuggerError | undefined>((resolve) => {
      const give = (value: Came | DebuggerError | undefined): void => {
        signal?.removeEventListener('abort', stop);
        this.#came = undefined;
        resolve(value);
      };
      const stop = (): void => give(undefined);
      signal?.addEventListener('abort', stop);
      this.#came = give;
    });
    if (came instanceof Error) throw came;
    if (came) this.#unseen = false;
    return came;
  }

  close(): void {
    this.#connection?.close();
  }

  #hear(event: AgentEvent): void {
    switch (event.event) {
      case 'stopped': {
        const { event: _, ...standing } = event;
        this.standing = standing;
        this.#unseen = true;
        this.#tell({ came: 'stopped' });
        return;
      }
      case 'ended':
        this.#ended = event.text;
        this.standing = { ...this.standing, running: true };
        this.#tell({ came: 'ended', text: event.text });
        return;
      default:
        this.options.onTold(event);
    }
  }

  #tell(came: Came): void {
    if (this.#came) this.#came(came);
    else this.options.onNews?.();
  }

  #gone(error: DebuggerError): void {
    if (this.#ended !== undefined) return;
    this.#lost = error;
    this.standing = { ...this.standing, running: true };
    if (this.#came) this.#came(error);
    else this.options.onDeath?.(error);
  }
}
