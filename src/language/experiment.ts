import { UsageError } from '../base/index.js';
import { listOf, object, optional, refusal, text, type Check } from './checks.js';
import { toEdit } from './edit-data.js';
import { parseEdits } from './edit-text.js';
import { scanJson } from './json-text.js';
import { Scanner } from './scanner.js';
import { longestEditsText, type Edit, type Experiment } from './edits.js';

const edits: Check<readonly Edit[]> = listOf(toEdit);
const model = object<{ fingerprint?: string }>({ fingerprint: optional(text) });
const version: Check<1> = (v, place) => {
  if (v === 1) return v;
  throw refusal(place, '1, the version of experiments that is known');
};

/**
 * An experiment from untrusted data.
 * @throws UsageError EDIT_INVALID with the place: `edits[3].by`
 */
export const toExperiment = (data: unknown): Experiment =>
  object<Experiment>({ experiment: version, name: optional(text), model: optional(model), edits })(data, '');

/** Edits as an experiment, which is also its JSON. */
export const makeExperiment = (list: readonly Edit[], name?: string): Experiment => ({
  experiment: 1,
  ...(name === undefined ? {} : { name }),
  edits: list,
});

/** An experiment as a JSON file: one edit a line, so that changes read well. */
export const formatExperiment = ({ edits: list, ...head }: Experiment): string => {
  const fields = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  const lines = list.map((edit) => `    ${JSON.stringify(edit)}`);
  return `{\n${fields.join('')}  "edits": [${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n  `}]\n}\n`;
};

/** What is wrong with a text that `JSON.parse` refused: our own reader knows where, V8 does not always say. */
const jsonError = (source: string, cause: unknown): UsageError => {
  const hint = 'A file that begins with { is read as JSON; docs/edits.md shows the form.';
  const s = new Scanner(source, { code: 'EDIT_SYNTAX', hint });
  try {
    scanJson(s);
    s.expectEnd();
    throw s.error('JSON, with double quotes and plain numbers', 1);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const before = source.slice(0, Number(error.info.details?.['column'] ?? 1) - 1).split('\n');
    const [line, column] = [before.length, (before.at(-1) ?? '').length + 1];
    const what = error.message.slice(error.message.indexOf(':'));
    const details = { ...error.info.details, line, column };
    return new UsageError(`line ${line}, column ${column}${what}`, { ...error.info, details, cause });
  }
};

/**
 * An experiment from the text of a file: JSON if it begins with `{`, else one edit a line.
 * @throws UsageError EDIT_SYNTAX with line and column, EDIT_INVALID
 */
export const parseExperiment = (source: string): Experiment => {
  if (source.length > longestEditsText || !source.trimStart().startsWith('{'))
    return makeExperiment(parseEdits(source));
  let data: unknown;
  try {
    data = JSON.parse(source);
  } catch (cause) {
    throw jsonError(source, cause);
  }
  return toExperiment(data);
};
