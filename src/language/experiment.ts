import { UsageError } from '../base/index.js';
import { listOf, object, optional, refusal, text, type Check } from './checks.js';
import { toEdit } from './edit-data.js';
import { parseEdits } from './edit-text.js';
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

/** The 1-based column in its line of a place that V8's JSON errors tell, where they tell one. */
const placeIn = (source: string, error: unknown): string => {
  const at = Number(/position (\d+)/.exec(String(error))?.[1] ?? source.length);
  const before = source.slice(0, at).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
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
    throw new UsageError(`${placeIn(source, cause)}: expected JSON`, {
      code: 'EDIT_SYNTAX',
      hint: 'A file that begins with { is read as JSON; docs/edits.md shows the form.',
      cause,
    });
  }
  return toExperiment(data);
};
