import { UsageError } from '../base/index.js';
import type { Answer, Client } from '../client/index.js';
import type { Looked } from '../debugger/index.js';
import {
  clientMessage,
  encodeFrame,
  FrameDecoder,
  hostMethods,
  hostProtocol,
  invalidMessage,
  pageRun,
  toWireError,
  type HostMessage,
  type HostRequest,
  type ViewAsk,
} from '../protocol/index.js';

/** What a page may ask of the host. Models are named in each request; none is opened under a name. */
const allowed: ReadonlySet<string> = new Set([
  ...[
    'ping',
    'status',
    'attention',
    'capture',
    'drop',
    'view',
    'run',
    'inspect',
    'lens',
    'board',
    'compare',
    'knockout',
    'attribute',
    'attack',
    'patch',
    'circuit',
    'components',
    'diff',
    'list',
    'times',
    'tokenize',
    'weight',
    'writes',
  ],
  // The run under the debugger is looked at; the server moves it, since it is all pages'.
  'debug.view',
]);
/** Fields of requests that name a file to be written. */
const writing = ['out', 'record', 'resume'] as const;

const mostPending = 64;
/** A page sends no payload, and no long text but a prompt. */
const limits = { header: 2 ** 22, payload: 0 };

/** @throws UsageError MESSAGE_INVALID, OPTION_INVALID */
const checkRequest = ({ method, params }: HostRequest): void => {
  if (!allowed.has(method)) throw invalidMessage(`a page may not ask for ${method.slice(0, 100)}`);
  if (method === 'debug.view' && (params as { readonly session?: unknown } | null)?.session !== pageRun)
    throw invalidMessage(`a page may look at the run ${pageRun} alone`);
  const field = typeof params === 'object' && params !== null ? writing.find((name) => name in params) : undefined;
  if (field === undefined) return;
  throw new UsageError(`a page writes no files, and ${field} names one`, {
    code: 'OPTION_INVALID',
    hint: 'Save from the page, or use the command line.',
  });
};

export interface BridgeEnds {
  send(bytes: Uint8Array): void;
  hangUp(): void;
  /** Told of each answer, and what it is to. */
  answered?(request: HostRequest, result: unknown): void;
  /** Looks at the run where that is not the host's; undefined where it is. */
  look?(ask: ViewAsk): Promise<Looked<ViewAsk['ask']>> | undefined;
}

/** One page's requests, handed on to a host that several pages share. When the page goes, all that it asked is cancelled. */
export class Bridge {
  readonly #decoder = new FrameDecoder(limits);
  readonly #open = new Map<number, AbortController>();
  readonly #runs = new Set<string>();

  constructor(
    readonly tab: string,
    readonly client: Client,
    readonly ends: BridgeEnds,
  ) {}

  greet(): void {
    this.#send({ type: 'ready', protocol: hostProtocol, pid: this.client.pid ?? 0 });
  }

  /** Bytes from the page. */
  receive(bytes: Uint8Array): void {
    try {
      this.#decoder.push(bytes);
      for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) this.#message(frame.message);
    } catch (error) {
      this.#send({ type: 'fault', error: toWireError(error) });
      this.ends.hangUp();
    }
  }

  /** The page is gone: nothing that it asked for goes on, and what the host held for it is freed. */
  dispose(): void {
    for (const controller of this.#open.values()) controller.abort();
    if (!this.client.isAlive) return;
    for (const run of this.#runs) this.client.request('drop', { run }).catch(() => undefined); // the host may be gone
  }

  /** @throws UsageError MESSAGE_INVALID */
  #message(message: unknown): void {
    const parsed = clientMessage.safeParse(message);
    if (!parsed.success) throw invalidMessage(`this is no message: ${parsed.error.issues[0]?.message ?? ''}`);
    if (parsed.data.type === 'cancel') this.#open.get(parsed.data.id)?.abort();
    else void this.#request(parsed.data);
  }

  async #request(request: HostRequest): Promise<void> {
    const { id } = request;
    const controller = new AbortController();
    try {
      if (this.#open.has(id)) throw invalidMessage(`request ${id} has no answer yet, and its id came again`);
      if (this.#open.size >= mostPending) throw invalidMessage(`${mostPending} requests are open`);
      checkRequest(request);
      this.#open.set(id, controller);
      const { result, payload } = await (this.#looked(request) ?? this.#ask(request, controller.signal));
      this.#send({ type: 'answer', id, result }, payload);
      this.ends.answered?.(request, result);
    } catch (error) {
      this.#send({ type: 'error', id, error: toWireError(error) });
    } finally {
      if (this.#open.get(id) === controller) this.#open.delete(id);
    }
  }

  /** A look at a live process, which the server itself has. */
  #looked({ method, params }: HostRequest): Promise<Pick<Answer, 'result'> & { payload?: Uint8Array }> | undefined {
    const parsed = method === 'debug.view' ? hostMethods[method].input.safeParse(params) : undefined;
    if (parsed && !parsed.success) throw invalidMessage('this is no look at a run', parsed.error);
    return (
      parsed &&
      this.ends
        .look?.(parsed.data.ask)
        ?.then(({ bytes, ...result }) => ({ result, ...(bytes ? { payload: bytes } : {}) }))
    );
  }

  #ask({ id, method, params, key }: HostRequest, signal: AbortSignal) {
    const run = (params as { readonly run?: unknown } | null)?.run;
    if ((method === 'capture' || method === 'attention') && typeof run === 'string') this.#runs.add(run);
    return this.client.ask(method, params, {
      signal,
      onTold: (told) => this.#send({ ...told, id }),
      ...(key === undefined ? {} : { key: `${this.tab} ${key}` }),
    });
  }

  #send(message: HostMessage, payload?: Uint8Array): void {
    const pieces = encodeFrame(message, payload);
    this.ends.send(pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces));
  }
}
