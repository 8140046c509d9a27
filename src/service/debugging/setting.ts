import { UsageError } from '../../base/index.js';

const oneLine = (value: string): string => {
  const text = value.trim();
  if (!/[\r\n]/.test(text) && text !== '') return text;
  throw new UsageError('a value is a number, zero, mean, or *NUMBER', {
    code: 'EDIT_INVALID',
    hint: 'For example 0.5, zero, mean, *0.5.',
  });
};

/**
 * How a change of a value is written: a number, `zero`, `mean`, `*0.5`, or another right side of `set`.
 * @throws UsageError EDIT_INVALID
 */
export const changeOf = (place: string, value: string, step: number): string => {
  const text = oneLine(value);
  const factor = /^\*\s*(.+)$/.exec(text)?.[1];
  if (place.startsWith('weight ')) return factor === undefined ? `${place} = ${text}` : `${place} *= ${factor}`;
  if (place.startsWith('grad(')) {
    if (factor !== undefined) return `scale ${place} by ${factor}`;
    return `set ${place} = ${Number(text) === 0 ? 'zero' : text}`;
  }
  return factor === undefined
    ? `set ${place} = ${text} at step ${step}`
    : `scale ${place} by ${factor} at step ${step}`;
};

/** The site of a place with a selector; undefined of a weight, and of a gradient. */
export const siteOf = (place: string): string | undefined =>
  /^(?:weight |grad\()/.test(place) ? undefined : (/^[^\s[]+/.exec(place)?.[0] ?? '');
