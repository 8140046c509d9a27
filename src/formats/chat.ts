import * as jinja from '@huggingface/jinja';
import { ModelError, UsageError, type Json, type JsonObject } from '../base/index.js';

/** How a model wants conversations written: a Jinja template, and the special tokens that it may name. */
export interface ChatTemplate {
  readonly source: string;
  /** `bos_token`, `eos_token`, ...: their spellings. */
  readonly tokens: Readonly<Record<string, string>>;
}

/** A conversation, and what else the template may ask for: `tools`, `documents`, `enable_thinking`, ... */
export interface Chat {
  readonly messages: readonly JsonObject[];
  readonly variables: JsonObject;
}

const invalid = (what: string, hint: string, cause?: unknown): UsageError =>
  new UsageError(what, { code: 'CHAT_INVALID', hint, ...(cause === undefined ? {} : { cause }) });

const formHint =
  'Write a JSON list of messages such as {"role": "user", "content": "Hello"}, or an object with "messages" and what else the template asks for.';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const messageOf = (value: Json, i: number): JsonObject => {
  if (isObject(value) && typeof value['role'] === 'string') return value;
  throw invalid(`message ${i + 1} of the chat has no role`, formHint);
};

/**
 * A conversation from JSON: a list of messages, or an object with `messages`.
 * @throws UsageError CHAT_INVALID
 */
export const parseChat = (text: string): Chat => {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw invalid('the chat is not JSON', formHint, cause);
  }
  const list = isObject(value) ? value['messages'] : value;
  if (!Array.isArray(list) || list.length === 0) throw invalid('the chat has no messages', formHint);
  const { messages: _, ...variables } = isObject(value) ? value : { messages: [] };
  return { messages: (list as readonly Json[]).map(messageOf), variables };
};

const longestRange = 100_000;

/** Python's `range`, as far as a template may go: its text comes from a file. */
const range = (first: number, second?: number, step = 1): number[] => {
  const [start, end] = second === undefined ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (!(count <= longestRange)) throw new Error(`range() of ${count}`);
  return Array.from({ length: count }, (_, i) => start + i * step);
};

const names =
  (part: 'weekday' | 'month', width: 'long' | 'short') =>
  (now: Date): string =>
    now.toLocaleString('en-US', { [part]: width });
const digits =
  (of: (now: Date) => number) =>
  (now: Date): string =>
    String(of(now)).padStart(2, '0');

const timeParts: Readonly<Record<string, (now: Date) => string>> = {
  Y: (now) => String(now.getFullYear()),
  m: digits((now) => now.getMonth() + 1),
  d: digits((now) => now.getDate()),
  H: digits((now) => now.getHours()),
  M: digits((now) => now.getMinutes()),
  S: digits((now) => now.getSeconds()),
  B: names('month', 'long'),
  b: names('month', 'short'),
  A: names('weekday', 'long'),
  a: names('weekday', 'short'),
};

/** What Python's `datetime.now().strftime` gives, for the letters that templates use. */
const strftimeNow = (format: string): string => {
  const now = new Date();
  return format.replace(
    /%([a-zA-Z%])/g,
    (whole, letter: string) => timeParts[letter]?.(now) ?? (letter === '%' ? '%' : whole),
  );
};

/** What templates may use by name, as transformers gives it to them. */
const globals: Readonly<Record<string, unknown>> = {
  ...{ true: true, false: false, none: null, True: true, False: false, None: null },
  raise_exception: (message: string) => {
    throw new Error(message);
  },
  range,
  strftime_now: strftimeNow,
};

/** Names and their values while a template runs. */
interface Environment {
  set(name: string, value: unknown): unknown;
}

/** What the library exports for running a template in an environment of one's own; its types are out of reach. */
const runtime = jinja as unknown as {
  readonly Environment: new (parent?: Environment) => Environment;
  readonly Interpreter: new (environment: Environment) => { run(program: unknown): { readonly value: unknown } };
};

const environment = (variables: Readonly<Record<string, unknown>>, parent?: Environment): Environment => {
  const made = new runtime.Environment(parent);
  for (const [name, value] of Object.entries(variables)) made.set(name, value);
  return made;
};

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).slice(0, 300);

const parsed = ({ source }: ChatTemplate): jinja.Template => {
  try {
    return new jinja.Template(source);
  } catch (cause) {
    throw new ModelError(`the model's chat template cannot be read: ${reasonOf(cause)}`, {
      code: 'CHAT_TEMPLATE_INVALID',
      hint: 'Take the tokenizer files anew from the place that the model came from, or write the prompt out with --prompt.',
      cause,
    });
  }
};

/**
 * The prompt that a conversation is for a model, with the opening of the answer at its end unless the last message is
 * the model's own.
 * @throws UsageError CHAT_INVALID where the template refuses the conversation
 * @throws ModelError CHAT_TEMPLATE_INVALID
 * @source transformers `apply_chat_template`
 */
export const renderChat = (template: ChatTemplate, { messages, variables }: Chat): string => {
  const asks = messages.at(-1)?.['role'] !== 'assistant';
  const program: unknown = parsed(template).parsed;
  try {
    const own = { add_generation_prompt: asks, ...template.tokens, ...variables, messages };
    const text = new runtime.Interpreter(environment(own, environment(globals))).run(program);
    return String(text.value);
  } catch (cause) {
    throw invalid(
      `the model's chat template refuses this chat: ${reasonOf(cause)}`,
      'Templates differ in the roles they know and the order they want: try user and assistant in turn, without system.',
      cause,
    );
  }
};

/** The spelling of a special token, as a text or as an object that describes it. */
const spelling = (value: Json | undefined): string | undefined => {
  if (typeof value === 'string') return value;
  return isObject(value) && typeof value['content'] === 'string' ? value['content'] : undefined;
};

/** The special tokens that a tokenizer's config names: `bos_token` and so on. */
export const namedTokens = (config: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      const text = /^[a-z]+_token$/.test(key) ? spelling(value) : undefined;
      return text === undefined ? [] : [[key, text]];
    }),
  );

/** The template in a tokenizer's config: one text, or a list of named ones, of which `default` counts. */
export const templateIn = (config: JsonObject): string | undefined => {
  const given = config['chat_template'];
  if (typeof given === 'string') return given;
  if (!Array.isArray(given)) return undefined;
  const named = (given as readonly Json[]).find((entry) => isObject(entry) && entry['name'] === 'default');
  return isObject(named) && typeof named['template'] === 'string' ? named['template'] : undefined;
};
