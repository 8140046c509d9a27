import { UsageError } from '../base/index.js';

const wrong = (option: string, expected: string, text: string): UsageError =>
  new UsageError(`${option} should be ${expected}, but is ${JSON.stringify(text.slice(0, 60))}`, {
    code: 'OPTION_INVALID',
    hint: 'See `cutaway VERB --help`.',
  });

/** Reads a whole number, or says what is wrong. */
export const integer =
  (option: string) =>
  (text: string): number => {
    if (/^[+-]?\d{1,15}$/.test(text.trim())) return Number(text);
    throw wrong(option, 'a whole number', text);
  };

export const float =
  (option: string) =>
  (text: string): number => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw wrong(option, 'a number', text);
  };

/** Token ids, separated by commas. */
export const integers =
  (option: string) =>
  (text: string): number[] => {
    const parts = text.split(',').map((part) => part.trim());
    if (parts.every((part) => /^-?\d{1,15}$/.test(part))) return parts.map(Number);
    throw wrong(option, 'whole numbers separated by commas', text);
  };

/** The option that a field of an input comes from: `maxNewTokens` is `--max-new-tokens`. */
export const optionOf = (field: string): string =>
  `--${field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Whole numbers and ranges of them, both ends in it: `0,3,5..8`. */
export const indices =
  (option: string) =>
  (text: string): number[] =>
    text.split(',').flatMap((part) => {
      const [, from, to = from] = /^(-?\d{1,6})(?:\.\.(\d{1,6}))?$/.exec(part.trim()) ?? [];
      if (from === undefined || Number(to) < Number(from))
        throw wrong(option, 'whole numbers or ranges such as 2..6, separated by commas', text);
      return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i);
    });

/** An edit, or a file of them, in the order of the command line. */
export type EditOption = { readonly text: string } | { readonly file: string };

/** Collects `--edit` and `--edits` into one list, so that their order is kept. */
export const collectEdits =
  (list: EditOption[], kind: 'text' | 'file') =>
  (value: string): EditOption[] => {
    list.push(kind === 'text' ? { text: value } : { file: value });
    return list;
  };

/** Collects the words of a repeatable option. */
export const collectWords =
  (list: string[]) =>
  (value: string): string[] => {
    list.push(value);
    return list;
  };
