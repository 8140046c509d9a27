import type { DebugProtocol } from '@vscode/debugprotocol';
import { Adapter, Deframer, frame, type OpenTarget } from '../../src/dap/index.js';
import { openTarget } from '../../src/service/index.js';
import { problemsOf } from './schema.js';

type Body = Readonly<Record<string, unknown>>;
export type Response = Omit<DebugProtocol.Response, 'body'> & { readonly body: Body };
type Event = Omit<DebugProtocol.Event, 'body'> & { readonly body: Body };

/** A client of an adapter in this process: each message goes through bytes, and through the protocol's types. */
export class Client {
  readonly all: DebugProtocol.ProtocolMessage[] = [];
  readonly #adapter: Adapter;
  readonly #deframer = new Deframer();
  readonly #answers = new Map<number, (response: Response) => void>();
  readonly #waiting: { readonly name: string; readonly resolve: (event: Event) => void }[] = [];
  readonly #unseen: Event[] = [];
  #seq = 0;
  closed = false;

  /** @param open where the run happens: our engine in this process, unless something else is tested */
  constructor(open: OpenTarget = (input) => openTarget(input)) {
    this.#adapter = new Adapter(
      {
        send: (message) => {
          for (const received of this.#deframer.push(frame(message)))
            if ('message' in received) this.#receive(received.message as DebugProtocol.ProtocolMessage);
        },
        close: () => {
          this.closed = true;
        },
      },
      open,
    );
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
      this.#adapter.receive(message);
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
    return this.#adapter.end();
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
