import { connect, createServer, type Socket } from 'node:net';
import { EngineError, UsageError, errorCodes, type DebuggerError, type ErrorCode } from '../../../base/index.js';
import {
  agentAnswers,
  agentEvent,
  agentProtocol,
  encodeFrame,
  FrameDecoder,
  invalidMessage,
  type AgentAnswer,
  type AgentEvent,
  type AgentHello,
  type AgentMethod,
  type AttachInput,
} from '../../../protocol/index.js';
import { z } from 'zod';

const answer = z.object({ type: z.literal('answer'), id: z.int(), result: z.unknown() });
const refusal = z.object({
  type: z.literal('error'),
  id: z.int(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
});
const told = z.object({ type: z.literal('event') }).loose();
const incoming = z.discriminatedUnion('type', [answer, refusal, told]);

/** What carries the frames. */
export type AgentSocket = Socket;

/** An answer, and the bytes beside it. */
export interface AgentReply<M extends AgentMethod> {
  readonly result: AgentAnswer<M>;
  readonly payload: Uint8Array<ArrayBuffer>;
}

interface Waiting {
  readonly take: (result: unknown, payload: Uint8Array<ArrayBuffer>) => void;
  readonly fail: (error: DebuggerError) => void;
}

export interface ConnectionOptions {
  readonly onEvent: (event: AgentEvent) => void;
  /** The connection is gone, though nobody closed it here. */
  readonly onLost: (error: DebuggerError) => void;
}

const codeOf = (code: string): ErrorCode => errorCodes.find((known) => known === code) ?? 'ENGINE_FAILED';

/** What an agent refuses, as the error that its code stands for. */
export const agentError = ({ code, message, hint }: z.output<typeof refusal>['error']): DebuggerError => {
  const known = codeOf(code);
  return known === 'ENGINE_FAILED'
    ? new EngineError(message, { code: known, hint })
    : new UsageError(message, { code: known, hint });
};

const unreachable = (where: string, why: string, cause?: unknown): EngineError =>
  new EngineError(`nothing answers at ${where}: ${why}`, {
    code: 'AGENT_UNREACHABLE',
    hint: 'Start the process first, and take the address that it prints.',
    cause,
  });

const lost = (why: string): EngineError =>
  new EngineError(`the process is gone: ${why}`, {
    code: 'AGENT_LOST',
    hint: 'Start it again and attach again.',
  });

const opened = (host: string, port: number, timeoutMs: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(unreachable(`${host}:${port}`, error.message, error));
    };
    const timer = setTimeout(() => fail(new Error('no answer in time')), timeoutMs);
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
  });

/**
 * Waits at a port for so many processes that call.
 * @throws EngineError PORT_UNAVAILABLE, AGENT_UNREACHABLE where they do not call in time
 */
export const acceptAgents = (
  { host, port, ranks }: Pick<AttachInput, 'host' | 'port' | 'ranks'>,
  timeoutMs = 600_000,
): Promise<readonly Socket[]> =>
  new Promise((resolve, reject) => {
    const sockets: Socket[] = [];
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.push(socket);
      if (sockets.length === ranks) end(() => resolve(sockets));
    });
    const end = (answer: () => void): void => {
      clearTimeout(timer);
      server.close();
      answer();
    };
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
      end(() => reject(unreachable(`${host}:${port}`, `${sockets.length} of ${ranks} processes called`)));
    }, timeoutMs);
    server.once('error', (cause) =>
      end(() =>
        reject(
          new EngineError(`${host}:${port} cannot be listened at: ${cause.message}`, {
            code: 'PORT_UNAVAILABLE',
            hint: 'Choose another port.',
            cause,
          }),
        ),
      ),
    );
    server.listen(port, host);
  });

/** A connection to the agent of one process: requests out, answers and events in. */
export class AgentConnection {
  readonly #waiting = new Map<number, Waiting>();
  readonly #decoder = new FrameDecoder();
  #last = 0;
  #ended: DebuggerError | undefined;
  #closed = false;

  private constructor(
    readonly socket: Socket,
    readonly options: ConnectionOptions,
  ) {
    socket.on('data', (bytes: Uint8Array) => this.#received(bytes));
    socket.on('error', (error) => this.#end(lost(error.message)));
    socket.on('close', () => this.#end(lost('the connection was closed')));
  }

  /**
   * Connects, or takes a socket that is connected, and is let in.
   * @throws EngineError AGENT_UNREACHABLE, AGENT_LOST; UsageError AGENT_REFUSED
   */
  static async open(
    { host, port, token }: Pick<AttachInput, 'host' | 'port' | 'token'>,
    options: ConnectionOptions & { readonly timeoutMs?: number; readonly socket?: Socket | undefined },
  ): Promise<{ readonly connection: AgentConnection; readonly hello: AgentHello }> {
    const { timeoutMs = 10_000 } = options;
    const connection = new AgentConnection(options.socket ?? (await opened(host, port, timeoutMs)), options);
    const timer = setTimeout(
      () => connection.#end(unreachable(`${host}:${port}`, 'what listens there is no agent')),
      timeoutMs + 2000,
    );
    try {
      const { result } = await connection.ask('hello', { token, protocol: agentProtocol });
      return { connection, hello: result };
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** @throws what the agent refuses with; EngineError AGENT_LOST; UsageError MESSAGE_INVALID */
  ask<M extends AgentMethod>(method: M, params: object = {}, payload?: Uint8Array): Promise<AgentReply<M>> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {
        fail: reject,
        take: (given, bytes) => {
          const parsed = agentAnswers[method].safeParse(given);
          if (parsed.success) resolve({ result: parsed.data as AgentAnswer<M>, payload: bytes });
          else reject(invalidMessage(`the agent's answer to ${method} cannot be read`, parsed.error));
        },
      });
      for (const piece of encodeFrame({ type: 'request', id, method, params }, payload)) this.socket.write(piece);
    });
  }

  /** The same, the answer alone. */
  async request<M extends AgentMethod>(method: M, params: object = {}): Promise<AgentAnswer<M>> {
    return (await this.ask(method, params)).result;
  }

  /** Nothing is told of it any more; the process goes on without a debugger. */
  close(): void {
    this.#closed = true;
    this.socket.destroy();
    this.#end(lost('the debugger has let it go'));
  }

  #received(bytes: Uint8Array): void {
    this.#decoder.push(bytes);
    try {
      for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next())
        this.#take(frame.message, frame.payload);
    } catch (error) {
      this.socket.destroy();
      this.#end(error instanceof UsageError ? error : lost(String(error)));
    }
  }

  #take(message: unknown, payload: Uint8Array<ArrayBuffer>): void {
    const parsed = incoming.safeParse(message);
    if (!parsed.success) throw invalidMessage('what came from the agent is no message', parsed.error);
    const { data } = parsed;
    if (data.type === 'event') {
      const event = agentEvent.safeParse(data);
      if (!event.success) throw invalidMessage('the agent tells of something unknown', event.error);
      this.options.onEvent(event.data);
      return;
    }
    const waiting = this.#waiting.get(data.id);
    this.#waiting.delete(data.id);
    if (data.type === 'error') waiting?.fail(agentError(data.error));
    else waiting?.take(data.result, payload);
  }

  #end(error: DebuggerError): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
    if (!this.#closed) this.options.onLost(error);
  }
}
