import { UsageError } from '../../base/index.js';
import type { Target } from '../../debugger/index.js';
import type { MoveResult, Motion } from '../../protocol/index.js';
import type { KeptSession } from '../../service/host/index.js';

/** Sessions on the disk: this one, and earlier ones. */
export interface Sessions {
  /** Earlier ones of this model, the newest first. */
  list(): Promise<readonly KeptSession[]>;
  /** Brings one back in place of this one. */
  restore(session: KeptSession): Promise<void>;
  /** The changes in force are in a file of the user's. */
  saved(): void;
  /** What is printed at each stop is this now. */
  displays(expressions: readonly string[]): Promise<void>;
}

/** What a command has to do with. */
export interface Console {
  readonly target: Target;
  /** Expressions that are shown at each stop. */
  readonly displays: string[];
  /** The frame that `up` and `down` chose, 0 the innermost; `info` shows what is in it. */
  frame: number;
  /** Where nothing is kept, left out. */
  readonly sessions?: Sessions;
  /** Moves the run; Ctrl-C pauses it. */
  move(motion: Motion): Promise<MoveResult>;
}

/** What a command prints; undefined ends the session. */
export type Answer = string | undefined;

export interface Command {
  readonly names: readonly string[];
  readonly usage: string;
  readonly help: string;
  readonly examples?: readonly string[];
  readonly run: (rest: string, console: Console) => Promise<Answer> | Answer;
}

/** A line that cannot be carried out; to be thrown. */
export const wrong = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'COMMAND_INVALID', hint });

/** @throws UsageError COMMAND_INVALID */
export const wholeNumber = (text: string, what: string): number => {
  if (/^\d{1,9}$/.test(text.trim())) return Number(text.trim());
  throw wrong(`${what} is a whole number, and this is ${JSON.stringify(text)}`, 'See `help`.');
};

/** What the answer to a wish was, or the error that it was refused with. */
export const granted = <T extends object>(answer: T | undefined): Exclude<T, { error: unknown }> => {
  if (answer && 'error' in answer) {
    const { code, message, hint } = (
      answer as { error: ConstructorParameters<typeof UsageError>[1] & { message: string } }
    ).error;
    throw new UsageError(message, { code, hint });
  }
  return answer as Exclude<T, { error: unknown }>;
};
