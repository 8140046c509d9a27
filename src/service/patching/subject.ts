import type { Prompt } from '../../engine/index.js';
import type { PatchInput } from '../../protocol/index.js';
import { invalid } from './prepared-pair.js';

type Read = Pick<Prompt, 'ids' | 'tokens'>;

/** The tokens that a text of the prompt reaches into. @throws UsageError OPTION_INVALID where it is not there once */
const tokensOf = (subject: string, { tokens }: Read): readonly number[] => {
  const text = tokens.map((t) => t.text).join('');
  const sought = subject.trim();
  const at = text.indexOf(sought);
  if (sought === '' || at < 0)
    throw invalid(`${JSON.stringify(subject)} does not stand in the prompt`, 'Give a part of its text, or positions.');
  if (text.includes(sought, at + 1))
    throw invalid(
      `${JSON.stringify(subject)} stands in the prompt more than once`,
      'Give more of the text, or positions: `cutaway tokenize MODEL --text` counts them.',
    );
  let end = 0;
  return tokens.flatMap((token, position) => {
    const start = end;
    end += token.text.length;
    return start < at + sought.length && end > at ? [position] : [];
  });
};

/** The positions whose embedding is noised. @throws UsageError OPTION_INVALID */
export const subjectOf = (subject: PatchInput['subject'], read: Read): readonly number[] => {
  if (subject === undefined)
    throw invalid(
      'it is not said which tokens are noised',
      'Give their text with --subject "Paris", or their positions with --subject 1,2,3.',
    );
  if (typeof subject === 'string') return tokensOf(subject, read);
  const { length } = read.ids;
  if (subject.every((x) => x < length)) return subject;
  throw invalid(`there is no position ${Math.max(...subject)}`, `The prompt's positions go from 0 to ${length - 1}.`);
};
