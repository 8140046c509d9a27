import type { Prompt } from '../../engine/index.js';
import type { PatchInput } from '../../protocol/index.js';
import { invalid } from './prepared-pair.js';

type Read = Pick<Prompt, 'ids' | 'tokens'>;

/** A text as tokenizers that drop case, accents and spaces have it; `##` marks the inside of a word (WordPiece). */
const folded = (text: string): string =>
  text
    .replace(/^##(?=\S)/, '')
    .normalize('NFD')
    .replaceAll(/[\p{M}\s]/gu, '')
    .toLowerCase();

/** The tokens that a text reaches into, one list for each place where it stands. */
const placesIn = (pieces: readonly string[], sought: string): readonly (readonly number[])[] => {
  const text = pieces.join('');
  const starts = pieces.map((_, i) => pieces.slice(0, i).join('').length);
  const found: number[][] = [];
  for (let at = text.indexOf(sought); sought !== '' && at >= 0; at = text.indexOf(sought, at + 1))
    found.push(
      pieces.flatMap((piece, i) => {
        const start = starts[i] ?? 0;
        return start < at + sought.length && start + piece.length > at ? [i] : [];
      }),
    );
  return found;
};

/** The tokens that a text of the prompt reaches into. @throws UsageError OPTION_INVALID where it is not there once */
const tokensOf = (subject: string, { tokens }: Read): readonly number[] => {
  const pieces = tokens.map((t) => t.text);
  const exact = placesIn(pieces, subject.trim());
  const [places, ...others] = exact.length > 0 ? exact : placesIn(pieces.map(folded), folded(subject.trim()));
  if (!places)
    throw invalid(`${JSON.stringify(subject)} does not stand in the prompt`, 'Give a part of its text, or positions.');
  if (others.length > 0)
    throw invalid(
      `${JSON.stringify(subject)} stands in the prompt more than once`,
      'Give more of the text, or positions: `cutaway tokenize MODEL --text` counts them.',
    );
  return places;
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
