import { DebuggerError } from '../../base/index.js';

/** What went wrong, and what to do. */
export const errorText = (error: unknown): string =>
  error instanceof DebuggerError ? `${error.message}. ${error.info.hint}` : String(error);
