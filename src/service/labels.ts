import { nearest, UsageError } from '../base/index.js';
import type { WordInput } from '../protocol/index.js';
import type { OpenModel } from './open-model.js';

/** A classifier's label by its name or number. @throws UsageError OPTION_INVALID naming those that there are */
export const labelOf = ({ program }: OpenModel, word: WordInput): number => {
  const { labels = [] } = program.facts;
  const named = typeof word === 'string' ? labels.indexOf(word) : -1;
  const id = named >= 0 ? named : Number(word === '' ? NaN : word);
  if (Number.isSafeInteger(id) && id >= 0 && id < labels.length) return id;
  const near = typeof word === 'string' ? `; did you mean ${nearest(word, labels)[0] ?? labels[0] ?? 0}?` : '.';
  throw new UsageError(`there is no label ${JSON.stringify(word)}`, {
    code: 'OPTION_INVALID',
    hint: `The labels are ${labels.map((label, i) => `${i} (${label})`).join(', ')}${near}`,
  });
};
