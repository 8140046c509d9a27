import { UsageError } from '../../base/index.js';
import type { Debuggee } from '../../service/index.js';

/** What a command has to do with. */
export interface Console {
  readonly debuggee: Debuggee;
  /** Expressions that are shown at each stop. */
  readonly displays: string[];
  /** Begins anew, with the same breakpoints and changes. */
  restart(): Promise<void>;
  /** Writes while a run goes on. */
  tell(text: string): void;
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
