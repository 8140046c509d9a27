import type { Client } from '../client.js';
import { Names } from './names.js';

type Fields = Readonly<Record<string, unknown>>;

/** A line of the driver's record: a message either way, or what a person saw. */
export interface Recorded {
  readonly sent?: { readonly seq: number; readonly command: string; readonly arguments?: Fields };
  readonly received?: {
    readonly type: string;
    readonly event?: string;
    readonly request_seq?: number;
    readonly command?: string;
    readonly success?: boolean;
    readonly body?: Fields;
  };
  readonly seen?: string;
  readonly value?: unknown;
}

/** What a client does, one after the other: it sends a request, waits for the answer to one, or for an event. */
export type Step =
  { readonly send: string; readonly arguments?: Fields } | { readonly answer: string } | { readonly event: string };

/** Events that make nvim-dap do something. */
const heeded = ['initialized', 'stopped', 'continued', 'terminated'];

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]));
};

/** The steps of each session of a record, without what is of one machine or one run. */
export const sessionsOf = (record: readonly Recorded[], model: string): readonly (readonly Step[])[] => {
  const sessions: Step[][] = [];
  const names = new Names(model);
  let asked = new Map<number, { readonly command: string; readonly given: Fields }>();
  for (const { sent, received } of record) {
    if (sent?.command === 'initialize') {
      sessions.push([]);
      asked = new Map();
    }
    const steps = sessions.at(-1) ?? [];
    const isOver = steps.some((s) => 'event' in s && s.event === 'terminated');
    if (sent) {
      const given = sent.arguments ?? {};
      asked.set(sent.seq, { command: sent.command, given });
      const written = sorted(names.written(given)) as Fields;
      steps.push({ send: sent.command, ...(sent.arguments ? { arguments: written } : {}) });
    } else if (received?.event !== undefined) {
      if (heeded.includes(received.event)) steps.push({ event: received.event });
    } else if (received && !isOver) {
      const question = asked.get(received.request_seq ?? -1);
      if (!question) throw new Error(`an answer to nothing: ${JSON.stringify(received)}`);
      names.learn(question.command, question.given, received.body ?? {});
      steps.push({ answer: question.command });
    }
  }
  return sessions;
};

/** A step a line, so that a change can be read. */
export const textOf = (sessions: readonly (readonly Step[])[], facts: Fields): string => {
  const session = (steps: readonly Step[]): string => `[\n${steps.map((s) => JSON.stringify(s)).join(',\n')}\n]`;
  const head = Object.entries(facts).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)},`);
  return `{\n${head.join('\n')}\n"sessions": [${sessions.map(session).join(', ')}]\n}\n`;
};

/** What a session of the transcript came to. */
export interface Played {
  readonly command: string;
  readonly given: Fields;
  readonly body: Fields;
}

/**
 * Does what a session's steps say, and waits as they say.
 * @returns every request with its answer, in order
 * @throws Error where a request is refused
 */
export const play = async (client: Client, steps: readonly Step[], names: Names): Promise<readonly Played[]> => {
  const open: { readonly command: string; readonly given: Fields; readonly answer: Promise<Fields> }[] = [];
  const played: Played[] = [];
  const take = async (command: string): Promise<void> => {
    const at = open.findIndex((o) => o.command === command);
    const [found] = at < 0 ? [] : open.splice(at, 1);
    if (!found) throw new Error(`an answer to ${command}, which was not asked`);
    const body = await found.answer;
    names.learn(command, found.given, body);
    played.push({ command, given: found.given, body });
  };
  for (const step of steps)
    if ('answer' in step) await take(step.answer);
    else if ('event' in step) await client.event(step.event);
    else {
      const given = names.read(step.arguments ?? {});
      const answer = client.ask<Fields | undefined>(step.send, step.arguments ? given : undefined);
      open.push({ command: step.send, given, answer: answer.then((body) => body ?? {}) });
    }
  for (const { command } of [...open]) await take(command);
  return played;
};
