import { z } from 'zod';
import { DebuggerError, UsageError, type ErrorCode } from '../base/index.js';
import type { OpenTarget } from './opener.js';
import { requests } from './requests.js';
import { Session } from './session.js';

const request = z.object({
  type: z.literal('request'),
  seq: z.int(),
  command: z.string(),
  arguments: z.unknown().optional(),
});
type Request = z.output<typeof request>;

/** These are answered at once, whatever is under way in a run. */
const urgent = new Set(['pause', 'cancel']);

/** A message for people, in which braces would be places for variables. */
const plain = (text: string): string => text.replaceAll('{', '(').replaceAll('}', ')');

/** A number for a code, which clients want: the same in all versions. */
const numberOf = (code: ErrorCode): number =>
  Array.from(code).reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 1_000_003, 7);

const argumentsWrong = ({ issues }: z.ZodError, command: string): UsageError => {
  const issue = issues[0];
  const where = issue?.path.join('.') ?? '';
  return new UsageError(`${command}: ${where === '' ? '' : `${where}: `}${issue?.message ?? 'wrong arguments'}`, {
    code: 'MESSAGE_INVALID',
    hint: 'docs/dap.md lists what each request takes.',
  });
};

/** The short word by which a client knows what went wrong. */
const shortOf = (code: string): string => (code === 'CANCELLED' ? 'cancelled' : code);

/**
 * A debug adapter: takes messages, one after the other, and sends answers and events. Each request gets exactly one
 * answer, in order; `pause` and `cancel` overtake.
 */
export class Adapter {
  readonly #session: Session;
  readonly #waiting: Request[] = [];
  #busy = false;
  #seq = 0;
  #closed = false;

  /**
   * @param output where messages go; `close` is called when the client has disconnected
   * @param open opens what a client launches
   */
  constructor(
    readonly output: { readonly send: (message: object) => void; readonly close: () => void },
    open: OpenTarget,
  ) {
    this.#session = new Session(open, (event, body) => this.#send({ type: 'event', event, ...(body ? { body } : {}) }));
  }

  /** What came in, whatever it is. */
  receive(message: unknown): void {
    const parsed = request.safeParse(message);
    if (!parsed.success) {
      this.#received(message);
      return;
    }
    if (parsed.data.command === 'cancel') {
      this.#cancel(parsed.data);
      return;
    }
    // Behind a request that has yet to start the run, a pause takes its turn.
    if (urgent.has(parsed.data.command) && this.#session.state === 'running') return void this.#answer(parsed.data);
    this.#waiting.push(parsed.data);
    if (['disconnect', 'terminate'].includes(parsed.data.command)) void this.#session.interrupt();
    if (!this.#busy) void this.#work();
  }

  /** Bytes that are no message. */
  problem(text: string): void {
    this.#send({ type: 'event', event: 'output', body: { category: 'important', output: `${text}\n` } });
  }

  /** The client is gone. */
  async end(): Promise<void> {
    this.#closed = true;
    this.#waiting.length = 0;
    await this.#session.dispose();
  }

  #received(message: unknown): void {
    const kind = z.object({ type: z.string() }).safeParse(message);
    if (kind.success && ['response', 'event'].includes(kind.data.type)) return; // nothing is asked of clients
    const asked = z.object({ seq: z.int(), command: z.string().catch('') }).safeParse(message);
    if (asked.success) {
      this.#refuse(asked.data, argumentsWrong(new z.ZodError([]), 'the message'));
      return;
    }
    this.problem('a message is no request: it needs type, seq and command');
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await this.#answer(next);
    this.#busy = false;
  }

  #cancel({ seq, command, arguments: given }: Request): void {
    const { data = {} } = z
      .object({ requestId: z.int().optional(), progressId: z.string().optional() })
      .safeParse(given);
    const at = this.#waiting.findIndex((r) => r.seq === data.requestId);
    const [cancelled] = at < 0 ? [] : this.#waiting.splice(at, 1);
    this.#session.progress.cancel(data);
    if (cancelled) this.#refuse(cancelled, new UsageError('cancelled', { code: 'CANCELLED', hint: 'Ask again.' }));
    this.#send({ type: 'response', request_seq: seq, success: true, command });
  }

  async #answer(asked: Request): Promise<void> {
    try {
      const body = await this.#run(asked);
      this.#send({
        type: 'response',
        request_seq: asked.seq,
        success: true,
        command: asked.command,
        ...(body ? { body } : {}),
      });
    } catch (error) {
      this.#refuse(asked, error instanceof z.ZodError ? argumentsWrong(error, asked.command) : error);
    }
    if (!urgent.has(asked.command)) this.#session.answered();
    if (asked.command === 'disconnect') this.output.close();
  }

  async #run({ command, seq, arguments: given }: Request): Promise<object | undefined> {
    const found = requests.get(command);
    if (!found)
      throw new UsageError(`there is no request ${command.slice(0, 100)}`, {
        code: 'COMMAND_INVALID',
        hint: 'initialize tells what works.',
      });
    if (found.when !== 'any') this.#session.checkLive();
    if (found.when === 'standing' && this.#session.state !== 'stopped')
      throw new UsageError(`${command} needs a run that stands, and this one is ${this.#session.state}`, {
        code: 'COMMAND_INVALID',
        hint:
          this.#session.state === 'running'
            ? 'Pause it, or wait for the stopped event.'
            : 'Launch, and wait for the stopped event.',
      });
    return found.run(this.#session, given, seq);
  }

  #refuse({ seq, command }: Pick<Request, 'seq' | 'command'>, error: unknown): void {
    const known = error instanceof DebuggerError;
    const code = known ? error.info.code : 'INTERNAL';
    const message = error instanceof Error ? error.message : String(error);
    const hint = known ? error.info.hint : 'This is a mistake in Cutaway: please report it.';
    const told = { id: numberOf(code), format: plain(`${message}. ${hint} [${code}]`), showUser: true };
    const short = this.#session.state === 'running' && code === 'COMMAND_INVALID' ? 'notStopped' : shortOf(code);
    this.#send({ type: 'response', request_seq: seq, success: false, command, message: short, body: { error: told } });
  }

  #send(message: object): void {
    if (!this.#closed) this.output.send({ seq: ++this.#seq, ...message });
  }
}
