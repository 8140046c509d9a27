import { styleText } from 'node:util';
import { DebuggerError, type Blame } from '../base/index.js';
import { printable } from './printable.js';

const statuses: Readonly<Record<Blame, number>> = { caller: 2, model: 2, engine: 3, us: 3 };

/** The exit status of an error: 2 the caller's or the model's fault, 3 the engine's or ours, 130 cancelled. */
export const statusOf = (error: unknown): number => {
  if (!(error instanceof DebuggerError)) return 3;
  return error.info.code === 'CANCELLED' ? 130 : statuses[error.blame];
};

const styled = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { stream: process.stderr });

/** Prints what is wrong, what to do, and the code. A stack trace only with `--debug`. */
export const reportError = (error: unknown, debug: boolean): void => {
  const known = error instanceof DebuggerError;
  const message = printable(error instanceof Error ? error.message : String(error));
  const lines = known
    ? [
        `${styled('red', 'error')} ${message}`,
        `  ${printable(error.info.hint)}`,
        styled('dim', `  [${error.info.code}]`),
      ]
    : [
        `${styled('red', 'error')} ${message}`,
        '  This is a mistake in Cutaway: please report it, with what --debug shows.',
        styled('dim', '  [INTERNAL]'),
      ];
  if (debug && error instanceof Error)
    lines.push(error.stack ?? '', ...(error.cause instanceof Error ? [error.cause.stack ?? ''] : []));
  process.stderr.write(`${lines.join('\n')}\n`);
};
