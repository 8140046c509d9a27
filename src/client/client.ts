import { EngineError, type DebuggerError } from '../base/index.js';
import type { HostMethod, HostOutput, HostParams, Notification, OpenResult, ViewResult } from '../protocol/index.js';
import { Connection, hostDied, type Answer } from './connection.js';
import type { Connector } from './transport.js';

/** What goes with a request. */
export interface RequestOptions {
  /** Cancels it: the request ends with the error CANCELLED, or with what is there by then. */
  readonly signal?: AbortSignal;
  /** Notes, streamed text and progress. */
  readonly onTold?: (told: Notification) => void;
  /** A model that was opened: it stands in for `model`, `device` and so on in the params. */
  readonly handle?: string;
  /** A newer request of the same key cancels the older. */
  readonly key?: string;
}

/** A view with its numbers; empty where its kind has none. */
export interface View extends ViewResult {
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface ClientOptions {
  /** Told when the host is gone without having been asked to go. */
  readonly onDeath?: (error: DebuggerError) => void;
}

const closed = (): EngineError =>
  new EngineError('the client is closed', { code: 'CANCELLED', hint: 'Connect again.' });

const cancelled = (): EngineError =>
  new EngineError('cancelled', { code: 'CANCELLED', hint: 'Nothing was changed; start again when you like.' });

/**
 * A host as its user sees it. When the host dies, all that waits ends with HOST_DIED, and so does all that is asked
 * until `restart`.
 */
export class Client {
  readonly #opened = new Map<string, HostParams<'open'>>();
  #connection: Connection | undefined;
  #closed = false;

  constructor(
    readonly connector: Connector,
    readonly options: ClientOptions = {},
  ) {}

  /** The host's process, while it is there. */
  get pid(): number | undefined {
    return this.isAlive ? this.#connection?.pid : undefined;
  }

  get isAlive(): boolean {
    return this.#connection !== undefined && this.#connection.ended === undefined;
  }

  /**
   * A new host in place of the old one, which is ended if it is still there. Handles stay valid: their models are opened
   * again when they are used. @throws EngineError HOST_DIED
   */
  async restart(): Promise<void> {
    if (this.#closed) throw closed();
    const old = this.#connection;
    this.#connection = undefined;
    old?.end(hostDied('it was restarted'));
    await old?.transport.close();
    await this.#connect();
    for (const params of this.#opened.values()) await this.request('open', { ...params, lazy: true });
  }

  async #connect(): Promise<void> {
    const connection: Connection = new Connection(await this.connector(), (error) => {
      const isAsked = this.#closed || this.#connection !== connection || connection.pid === undefined;
      if (!isAsked) this.options.onDeath?.(error);
    });
    this.#connection = connection;
    try {
      await connection.ready;
    } catch (error) {
      await connection.transport.close();
      throw error;
    }
  }

  /** @throws what the host answers; EngineError HOST_DIED, CANCELLED; UsageError MESSAGE_INVALID */
  async request<M extends HostMethod>(
    method: M,
    params: HostParams<M>,
    options: RequestOptions = {},
  ): Promise<HostOutput<M>> {
    return (await this.ask(method, params, options)).result as HostOutput<M>;
  }

  /** The same, with the bytes beside the answer. */
  async requestBytes<M extends HostMethod>(
    method: M,
    params: HostParams<M>,
    options: RequestOptions = {},
  ): Promise<{ readonly result: HostOutput<M>; readonly payload: Uint8Array<ArrayBuffer> }> {
    const { result, payload } = await this.ask(method, params, options);
    return { result: result as HostOutput<M>, payload };
  }

  /** Looks at a value that the host holds. @throws UsageError SITE_NOT_CAPTURED, SELECTOR_INVALID, MEMORY_LIMIT */
  async view(params: HostParams<'view'>, options: RequestOptions = {}): Promise<View> {
    const { result, payload } = await this.ask('view', params, options);
    return { ...(result as ViewResult), data: payload };
  }

  /** Looks at a weight. @throws UsageError WEIGHT_UNKNOWN, SELECTOR_INVALID, MEMORY_LIMIT */
  async weight(params: HostParams<'weight'>, options: RequestOptions = {}): Promise<View> {
    const { result, payload } = await this.ask('weight', params, options);
    return { ...(result as ViewResult), data: payload };
  }

  /** Opens a model under a name, for `handle`. */
  async open(params: HostParams<'open'>, options: RequestOptions = {}): Promise<OpenResult> {
    const result = await this.request('open', params, options);
    this.#opened.set(params.handle, params);
    return result;
  }

  async close(handle: string): Promise<void> {
    this.#opened.delete(handle);
    await this.request('close', { handle });
  }

  /** Ends the host; what waits ends with CANCELLED. */
  async dispose(): Promise<void> {
    this.#closed = true;
    this.#connection?.end(closed());
    await this.#connection?.transport.close();
  }

  /** A request whose params the host will check, with the bytes of its answer: for what hands requests on. @throws as `request` */
  async ask(method: string, params: unknown, options: RequestOptions = {}): Promise<Answer> {
    const connection = this.#connection;
    if (this.#closed) throw closed();
    if (!connection) throw hostDied('it was never started');
    const { signal, onTold = () => undefined, handle, key } = options;
    if (signal?.aborted) throw cancelled();
    const envelope = { ...(handle === undefined ? {} : { handle }), ...(key === undefined ? {} : { key }) };
    const { id, answer } = connection.request({ method, params, ...envelope }, onTold);
    const cancel = (): void => connection.cancel(id);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await answer;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }
}

/** Connects, and resolves when the host is ready. @throws EngineError HOST_DIED */
export const connect = async (connector: Connector, options: ClientOptions = {}): Promise<Client> => {
  const client = new Client(connector, options);
  await client.restart();
  return client;
};
