import { UsageError } from '../base/index.js';

/** What V8 says of a text that is no JSON, in our words: it names a position, a character, or neither at the end. */
const whyNot = (error: unknown): string => {
  const message = error instanceof Error ? error.message : '';
  const at = /at position (\d+)/.exec(message)?.[1];
  if (at !== undefined) return `not JSON, from column ${Number(at) + 1} on`;
  const token = /Unexpected token '?(.)/u.exec(message)?.[1];
  return token === undefined ? 'not JSON: it breaks off' : `not JSON: ${token} is not expected where it stands`;
};

/**
 * A line of a JSON-lines file.
 * @param hint what each line is to be
 * @throws UsageError OPTION_INVALID that says what is not JSON
 */
export const parseLine = (line: string, hint: string): unknown => {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new UsageError(whyNot(cause), { code: 'OPTION_INVALID', hint, cause });
  }
};
