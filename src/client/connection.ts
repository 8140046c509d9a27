import { EngineError, type DebuggerError } from '../base/index.js';
import {
  encodeFrame,
  FrameDecoder,
  fromWireError,
  hostMessage,
  hostProtocol,
  invalidMessage,
  type ClientMessage,
  type Frame,
  type HostMessage,
  type Notification,
} from '../protocol/index.js';
import type { Transport } from './transport.js';

/** The error of a request to a host that is gone. */
export const hostDied = (reason: string, stderr?: string): EngineError =>
  new EngineError(`the host ended: ${reason}`, {
    code: 'HOST_DIED',
    hint: 'Restart it and ask again: what you made is in the journal.',
    details: { reason, ...(stderr === undefined || stderr === '' ? {} : { stderr }) },
  });

export interface Answer {
  readonly result: unknown;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** A request that waits for its answer. */
interface Waiting {
  resolve(answer: Answer): void;
  reject(error: DebuggerError): void;
  readonly notified: (told: Notification) => void;
}

/** One life of a host: frames out, answers in. Over when the transport ends. */
export class Connection {
  readonly #decoder = new FrameDecoder();
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #ended: DebuggerError | undefined;
  #onReady: ((error?: DebuggerError) => void) | undefined;
  /** Resolves when the host has said that it is there. @throws EngineError HOST_DIED; UsageError MESSAGE_INVALID */
  readonly ready: Promise<void>;
  pid: number | undefined;

  constructor(
    readonly transport: Transport,
    readonly onEnd: (error: DebuggerError) => void,
  ) {
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = (error) => (error ? reject(error) : resolve());
    });
    this.ready.catch(() => undefined); // whoever waits for it is told
    transport.listen({
      data: (bytes) => this.#data(bytes),
      end: ({ reason, stderr }) => this.end(hostDied(reason, stderr)),
    });
  }

  /** Why it is over. */
  get ended(): DebuggerError | undefined {
    return this.#ended;
  }

  /** @returns the request's id, to cancel it by, and its answer */
  request(
    message: Omit<Extract<ClientMessage, { type: 'request' }>, 'type' | 'id'>,
    notified: (told: Notification) => void,
  ): { readonly id: number; readonly answer: Promise<Answer> } {
    const id = this.#next++;
    const answer = new Promise<Answer>((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      const pieces = encodeFrame({ type: 'request', id, ...message });
      this.#waiting.set(id, { resolve, reject, notified });
      this.transport.send(pieces);
    });
    return { id, answer };
  }

  cancel(id: number): void {
    if (this.#waiting.has(id)) this.transport.send(encodeFrame({ type: 'cancel', id }));
  }

  /** All that wait get the error; so does what is asked later. */
  end(error: DebuggerError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#onReady?.(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.onEnd(error);
  }

  #data(bytes: Uint8Array): void {
    try {
      this.#decoder.push(bytes);
      for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) this.#frame(frame);
    } catch (error) {
      this.end(error as DebuggerError);
      void this.transport.close();
    }
  }

  #frame({ message, payload }: Frame): void {
    const parsed = hostMessage.safeParse(message);
    if (!parsed.success) throw invalidMessage(`the host sent what is no message: ${parsed.error.message}`);
    this.#message(parsed.data, payload);
  }

  #message(message: HostMessage, payload: Answer['payload']): void {
    switch (message.type) {
      case 'ready': {
        this.#greeted(message);
        return;
      }
      case 'answer':
        return this.#take(message.id)?.resolve({ result: message.result, payload });
      case 'error':
        return this.#take(message.id)?.reject(fromWireError(message.error));
      case 'fault':
        throw fromWireError(message.error);
      default:
        return this.#waiting.get(message.id)?.notified(message);
    }
  }

  #greeted({ protocol, pid }: Extract<HostMessage, { type: 'ready' }>): void {
    if (protocol !== hostProtocol)
      throw invalidMessage(`the host speaks version ${protocol} of the protocol, this side ${hostProtocol}`);
    this.pid = pid;
    this.#onReady?.();
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}
