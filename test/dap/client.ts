import type { DebugProtocol } from '@vscode/debugprotocol';
import { Adapter, Deframer, frame, type OpenTarget } from '../../src/dap/index.js';
import { openTarget } from '../../src/service/index.js';
import { problemsOf } from './schema.js';

type Body = Readonly<Record<string, unknown>>;
export type Response = Omit<DebugProtocol.Response, 'body'> & { readonly body: Body };
type Event = Omit<DebugProtocol.Event, 'body'> & { readonly body: Body };

/** The way to an adapter. */
interface Transport {
  readonly send: (message: object) => void;
  readonly end: () => Promise<void>;
}
/** Opens the way: what comes back is handed over as bytes, however they are split. */
export type Connect = (receive: (bytes: Buffer) => void, closed: () => void) => Transport;

const inThisProcess =
  (open: OpenTarget): Connect =>
  (receive, close) => {
    const adapter = new Adapter({ send: (message) => receive(frame(message)), close }, open);
    return { send: (message) => adapter.receive(message), end: () => adapter.end() };
  };

/** A client of an adapter, of one in this process if nothing else is said: each message goes through bytes, and through the protocol's types. */
export class Client {
  readonly all: DebugProtocol.ProtocolMessage[] = [];
  readonly #transport: Transport;
  readonly #deframer = new Deframer();
  readonly #answers = new Map<number, (response: Response) => void>();
  readonly #waiting: { readonly name: string; readonly resolve: (event: Event) => void }[] = [];
  readonly #unseen: Event[] = [];
  #seq = 0;
  closed = false;

  /** @param to the way to an adapter, or, of one in this process, what opens the run: our engine here, if left out */
  constructor(to: Connect | { readonly open: OpenTarget } = { open: (input) => openTarget(input) }) {
    const connect = typeof to === 'function' ? to : inThisProcess(to.open);
    const receive = (bytes: Buffer): void => {
      for (const received of this.#deframer.push(bytes))
        if ('message' in received) this.#receive(received.message as DebugProtocol.ProtocolMessage);
        else throw new Error(received.problem);
    };
    this.#transport = connect(receive, () => {
      this.closed = true;
    });
  }

  /** Sends a request, and waits for its answer. */
  request(command: string, given?: object): Promise<Response> {
    return this.send({ seq: ++this.#seq, type: 'request', command, ...(given ? { arguments: given } : {}) });
  }

  send(message: { readonly seq: number } & Readonly<Record<string, unknown>>): Promise<Response> {
    this.#seq = Math.max(this.#seq, message.seq);
    this.all.push(message as never);
    return new Promise((resolve) => {
      this.#answers.set(message.seq, resolve);
      this.#transport.send(message);
    });
  }

  /** The body of an answer that must be there. */
  async ask<T = Body>(command: string, given?: object): Promise<T> {
    const { success, body } = await this.request(command, given);
    if (!success) throw new Error(`${command}: ${JSON.stringify(body)}`);
    return body as T;
  }

  /** The next event of a name that nobody has waited for yet. */
  event(name: string): Promise<Event> {
    const at = this.#unseen.findIndex((e) => e.event === name);
    const [seen] = at < 0 ? [] : this.#unseen.splice(at, 1);
    return seen ? Promise.resolve(seen) : new Promise((resolve) => this.#waiting.push({ name, resolve }));
  }

  /** Moves the run, and waits until it stands again. */
  async until(command: string, given: object = { threadId: 1 }): Promise<Body> {
    await this.ask(command, given);
    return (await this.event('stopped')).body;
  }

  /** What was printed for people, of a category. */
  output(category: string): string {
    const events = this.all.filter(
      (m): m is Event & typeof m => m.type === 'event' && 'event' in m && m.event === 'output',
    );
    return events
      .filter((e) => e.body['category'] === category)
      .map((e) => String(e.body['output']))
      .join('');
  }

  /** Messages that the protocol's types do not allow, with what is wrong. */
  problems(): readonly string[] {
    return this.all.flatMap((message) => problemsOf(message, this.all));
  }

  end(): Promise<void> {
    return this.#transport.end();
  }

  #receive(message: DebugProtocol.ProtocolMessage): void {
    this.all.push(message);
    if (message.type === 'response') {
      const response = message as Response;
      const resolve = this.#answers.get(response.request_seq);
      if (!resolve) throw new Error(`an answer that nobody waits for: ${JSON.stringify(response)}`);
      this.#answers.delete(response.request_seq);
      resolve(response);
      return;
    }
    const event = message as Event;
    const at = this.#waiting.findIndex((w) => w.name === event.event);
    const [waiting] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (waiting) waiting.resolve(event);
    else this.#unseen.push(event);
  }
}

/** Says what is debugged, and waits until the run stands for the first time. */
export const begin = async (
  client: Client,
  command: 'launch' | 'attach',
  { given, initialize = {} }: { readonly given: object; readonly initialize?: object },
): Promise<void> => {
  await client.ask('initialize', { adapterID: 'cutaway', ...initialize });
  await client.ask(command, given);
  await client.event('initialized');
  await client.ask('configurationDone');
  await client.event('stopped');
};
