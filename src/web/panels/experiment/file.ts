import { errorText, type Told } from '../../i18n/told.js';
import { DebuggerError } from '../../../base/index.js';
import {
  formatEdit,
  formatExperiment,
  makeExperiment,
  parseEdits,
  parseExperiment,
  type Edit,
} from '../../../language/index.js';
import type { ExperimentState, SessionEdit } from '../../../protocol/index.js';

/** An experiment as the file that the command line takes; edits that are off are left out. */
export const toFile = ({ name, edits }: Pick<ExperimentState, 'name' | 'edits'>, fingerprint: string): string => {
  const on: readonly Edit[] = edits.filter((e) => e.on).flatMap((e) => parseEdits(e.text));
  const head = makeExperiment(on, name === '' ? undefined : name);
  return formatExperiment({ ...head, model: { fingerprint } });
};

export interface LoadedExperiment {
  readonly name: string;
  readonly edits: readonly SessionEdit[];
  /** The model that it was made on, where the file says. */
  readonly fingerprint: string | undefined;
}

/** A file of edits, text or JSON. @throws UsageError EDIT_SYNTAX, EDIT_INVALID */
export const ofFile = (text: string): LoadedExperiment => {
  const {
    name = '',
    edits,
    model,
  } = text.trimStart().startsWith('{') ? parseExperiment(text) : makeExperiment(parseEdits(text));
  return {
    name,
    edits: edits.map((edit) => ({ text: formatEdit(edit), on: true })),
    fingerprint: model?.fingerprint,
  };
};

/** What is wrong with an edit's text; undefined where nothing is. @param isLive of a process, which has modules too */
export const mistakeIn = (text: string, words: { readonly told: Told }, isLive = false): string | undefined => {
  if (isLive && /^skip module \S+$/.test(text)) return undefined;
  try {
    const edits = parseEdits(text);
    return edits.length === 1 ? undefined : '';
  } catch (error) {
    if (error instanceof DebuggerError) return errorText(words, error);
    throw error;
  }
};
