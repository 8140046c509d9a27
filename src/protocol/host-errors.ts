import { BugError, DebuggerError, EngineError, ModelError, UsageError, type Blame } from '../base/index.js';
import type { WireError } from './wire-error.js';

const classes = { caller: UsageError, model: ModelError, engine: EngineError, us: BugError } satisfies Record<
  Blame,
  unknown
>;

/** An error as data. What is none of ours is a mistake of ours. */
export const toWireError = (error: unknown): WireError => {
  if (error instanceof DebuggerError) {
    const { code, hint, details } = error.info;
    const { blame, message } = error;
    return {
      blame,
      code,
      message,
      hint,
      ...(details ? { details: JSON.parse(JSON.stringify(details)) as never } : {}),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = 'This is a mistake in Cutaway: please report it with what showed it.';
  return { blame: 'us', code: 'INTERNAL', message, hint };
};

/** The error that it was on the other side. */
export const fromWireError = ({ blame, code, message, hint, details }: WireError): DebuggerError =>
  new classes[blame](message, { code, hint, ...(details ? { details } : {}) });
