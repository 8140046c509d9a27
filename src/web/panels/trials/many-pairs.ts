import type { HostParams } from '../../../protocol/index.js';
import type { Run } from '../../state/request.js';
import type { TrialSettings } from '../../state/trials.js';

/** What an address can hold; more belongs into a file beside the model, and to the command line. */
export const mostPairsText = 100_000;

/** The lines that are not empty. */
export const linesOf = (text: string): readonly string[] => text.split(/\r?\n/).filter((line) => line.trim() !== '');

const isTemplate = (text: string | undefined): text is string => text !== undefined && /\{\w+\}/.test(text);

type Given = Pick<HostParams<'patch'>, 'pairsText' | 'prompt' | 'corrupt' | 'ids' | 'messages'>;

/**
 * What takes the place of the prompt that is looked at where there are many; undefined where there are none. Prompts
 * with `{name}` in them stay, as templates.
 */
export const manyPairs = (run: Run, { pairs = '', corrupt }: TrialSettings): Given | undefined => {
  if (linesOf(pairs).length === 0) return undefined;
  const { prompt } = run.input;
  return {
    pairsText: pairs,
    ...{ ids: undefined, messages: undefined, prompt: isTemplate(prompt) ? prompt : undefined },
    ...(isTemplate(corrupt) ? { corrupt } : {}),
  };
};
