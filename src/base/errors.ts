/** Why something could not be done, and whose move is next. Every face serialises these the same way. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** The closed list of error codes. Each has a page `docs/errors/<CODE>.md`: symptom, cause, fix. */
export const errorCodes = [
  'AGENT_LOST',
  'AGENT_REFUSED',
  'AGENT_UNREACHABLE',
  'AMBIGUOUS_TOKEN',
  'CANCELLED',
  'CHAT_INVALID',
  'CHAT_TEMPLATE_INVALID',
  'CHAT_TEMPLATE_MISSING',
  'COMMAND_INVALID',
  'CONFIG_FIELD_MISSING',
  'CONFIG_FIELD_UNSUPPORTED',
  'CONFIG_INVALID',
  'DEVICE_UNAVAILABLE',
  'DIFF_NOTHING_IN_COMMON',
  'EDIT_INVALID',
  'EDIT_SYNTAX',
  'ENGINE_FAILED',
  'EXPRESSION_INVALID',
  'EXPRESSION_SYNTAX',
  'FAMILY_UNKNOWN',
  'FILE_UNREADABLE',
  'GGUF_INVALID',
  'GRADIENT_UNDEFINED',
  'GRAPH_INVALID',
  'HOST_DIED',
  'ID_OUT_OF_RANGE',
  'INTERNAL',
  'MASK_UNSUPPORTED',
  'MEMORY_LIMIT',
  'MESSAGE_INVALID',
  'METHOD_UNFIT',
  'MODEL_NOT_FOUND',
  'OPTION_INVALID',
  'OUT_UNWRITABLE',
  'PAGE_MISSING',
  'PICKLE_REFUSED',
  'PORT_UNAVAILABLE',
  'PROMPT_EMPTY',
  'PROMPT_TOO_LONG',
  'RECORDING_INVALID',
  'RECORDING_MISMATCH',
  'SAFETENSORS_INVALID',
  'SELECTOR_INVALID',
  'SELECTOR_SYNTAX',
  'SITE_NOT_CAPTURED',
  'SITE_UNKNOWN',
  'TENSOR_DTYPE',
  'TENSOR_MISSING',
  'TENSOR_SHAPE',
  'TOKENIZER_INVALID',
  'TOKENIZER_MISSING',
  'WEIGHT_UNKNOWN',
  'ZOO_DAMAGED',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorInfo {
  /** The contract: match on it, never on the text. */
  readonly code: ErrorCode;
  /** What to do next, one sentence. */
  readonly hint: string;
  readonly details?: JsonObject;
  readonly cause?: unknown;
}

export type Blame = 'caller' | 'model' | 'engine' | 'us';

export abstract class DebuggerError extends Error {
  abstract readonly blame: Blame;
  constructor(
    message: string,
    readonly info: ErrorInfo,
  ) {
    super(message, { cause: info.cause });
    this.name = new.target.name;
  }
}
/** The caller asked for something that cannot be: exit status 2. */
export class UsageError extends DebuggerError {
  readonly blame = 'caller';
}
/** The model's files are wrong or not supported: exit status 2. */
export class ModelError extends DebuggerError {
  readonly blame = 'model';
}
/** The engine or the machine could not do it: exit status 3. */
export class EngineError extends DebuggerError {
  readonly blame = 'engine';
}
/** A promise of ours was broken: exit status 3. */
export class BugError extends DebuggerError {
  readonly blame = 'us';
}

/** An impossible state, as an error that says so. */
export const bug = (message: string, details?: JsonObject): BugError =>
  new BugError(message, {
    code: 'INTERNAL',
    hint: 'This is a mistake in Cutaway: please report it with the command that showed it.',
    ...(details ? { details } : {}),
  });

/** Makes a `switch` exhaustive: it does not compile when a case is missing. */
export const never = (value: never): never => {
  throw bug(`unexpected value ${JSON.stringify(value)}`);
};
