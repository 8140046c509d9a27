import { EngineError } from '../../base/index.js';
import {
  clientMessage,
  FrameDecoder,
  encodeFrame,
  hostProtocol,
  invalidMessage,
  toWireError,
  type ClientMessage,
  type HostMessage,
  type HostRequest,
} from '../../protocol/index.js';
import type { CancelFlag, FromWorker, ToWorker } from './messages.js';

/** What the server talks to. */
export interface ServerEnds {
  /** Frames to the client. */
  send(pieces: readonly Uint8Array[]): void;
  /** Messages to the worker. */
  post(message: ToWorker): void;
  /** What came can no longer be understood. */
  hangUp(): void;
  readonly pid: number;
}

/** A request without an answer. `isSent`: the worker has it. */
interface Job {
  readonly request: HostRequest;
  readonly flag: CancelFlag;
  isSent: boolean;
}

const mostPending = 256;

/** Methods that the worker answers at once, between two segments of what it runs; the others wait for their turn. */
const betweenRuns: ReadonlySet<string> = new Set(['view', 'drop', 'status', 'debug.points']);

const cancelledError = toWireError(
  new EngineError('cancelled', { code: 'CANCELLED', hint: 'Nothing was changed; start again when you like.' }),
);

/**
 * The host's main thread: speaks the protocol and never runs a model. Requests go to the worker one at a time, views
 * in between; each gets exactly one answer.
 */
export class Server {
  readonly #decoder = new FrameDecoder();
  readonly #jobs = new Map<number, Job>();
  readonly #byKey = new Map<string, number>();
  #running: number | undefined;

  constructor(readonly ends: ServerEnds) {}

  get pending(): number {
    return this.#jobs.size;
  }

  greet(): void {
    this.#send({ type: 'ready', protocol: hostProtocol, pid: this.ends.pid });
  }

  /** Bytes from the client. */
  receive(bytes: Uint8Array): void {
    try {
      this.#decoder.push(bytes);
      for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) this.#frame(frame.message);
    } catch (error) {
      this.#send({ type: 'fault', error: toWireError(error) });
      this.ends.hangUp();
    }
  }

  /** A message from the worker. */
  told(message: FromWorker): void {
    if (message.type === 'ready') {
      this.greet();
      return;
    }
    if (!this.#jobs.has(message.id)) return;
    if (message.type === 'answer') {
      this.#answer(message.id, message.result, message.payload);
      return;
    }
    if (message.type === 'error') {
      this.#fail(message.id, message.error);
      return;
    }
    this.#send(message);
  }

  /** Asks all that runs to stop. */
  cancelAll(): void {
    for (const id of [...this.#jobs.keys()]) this.#cancel(id);
  }

  #frame(message: unknown): void {
    const parsed = clientMessage.safeParse(message);
    if (parsed.success) {
      this.#message(parsed.data);
      return;
    }
    const error = toWireError(invalidMessage(`this is no message: ${parsed.error.issues[0]?.message ?? ''}`));
    const id = (message as { id?: unknown } | null)?.id;
    if (typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 && !this.#jobs.has(id))
      this.#send({ type: 'error', id, error });
    else this.#send({ type: 'fault', error });
  }

  #message(message: ClientMessage): void {
    if (message.type === 'cancel') {
      this.#cancel(message.id);
      return;
    }
    if (this.#jobs.has(message.id)) {
      const error = toWireError(invalidMessage(`request ${message.id} has no answer yet, and its id came again`));
      this.#send({ type: 'fault', error });
      return;
    }
    this.#request(message);
  }

  #request(request: HostRequest): void {
    const { id, method, key } = request;
    if (method === 'ping') {
      this.#send({ type: 'answer', id, result: {} });
      return;
    }
    if (this.#jobs.size >= mostPending) {
      const error = toWireError(invalidMessage(`${mostPending} requests are open`));
      this.#send({ type: 'error', id, error });
      return;
    }
    if (key !== undefined) this.#supersede(key, id);
    const job = { request, flag: new Int32Array(new SharedArrayBuffer(4)), isSent: false };
    this.#jobs.set(id, job);
    if (betweenRuns.has(method)) this.#post(job);
    else this.#next();
  }

  #supersede(key: string, id: number): void {
    const older = this.#byKey.get(key);
    if (older !== undefined) this.#cancel(older);
    this.#byKey.set(key, id);
  }

  #cancel(id: number): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    Atomics.store(job.flag, 0, 1);
    if (!job.isSent) this.#fail(id, cancelledError);
  }

  #post(job: Job): void {
    job.isSent = true;
    this.ends.post({ type: 'request', request: job.request, flag: job.flag });
  }

  /** Sends the worker the next request that waits for its turn. */
  #next(): void {
    if (this.#running !== undefined) return;
    const job = [...this.#jobs.values()].find((j) => !j.isSent);
    if (!job) return;
    this.#running = job.request.id;
    this.#post(job);
  }

  #answer(id: number, result: unknown, payload?: Uint8Array): void {
    const { method } = this.#done(id);
    const whole = method === 'status' ? { ...(result as object), pid: this.ends.pid, pending: this.pending } : result;
    this.#send({ type: 'answer', id, result: whole }, payload);
    this.#next();
  }

  #fail(id: number, error: typeof cancelledError): void {
    this.#done(id);
    this.#send({ type: 'error', id, error });
    this.#next();
  }

  #done(id: number): { method: string | undefined } {
    const request = this.#jobs.get(id)?.request;
    this.#jobs.delete(id);
    if (this.#running === id) this.#running = undefined;
    if (request?.key !== undefined && this.#byKey.get(request.key) === id) this.#byKey.delete(request.key);
    return { method: request?.method };
  }

  #send(message: HostMessage, payload?: Uint8Array): void {
    this.ends.send(encodeAnswer(message, payload));
  }
}

/** An answer as a frame; where it is too large for one, that is the answer. */
const encodeAnswer = (message: HostMessage, payload?: Uint8Array): readonly Uint8Array[] => {
  try {
    return encodeFrame(message, payload);
  } catch (error) {
    if (message.type !== 'answer') throw error;
    return encodeFrame({ type: 'error', id: message.id, error: toWireError(error) } satisfies HostMessage);
  }
};
