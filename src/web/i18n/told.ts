import { DebuggerError } from '../../base/index.js';
import type { WireError } from '../../protocol/index.js';

/**
 * A sentence as the program says it, with `{}` for what stands in it, and in another language, with `{0}` for the first
 * of these as it is, `{0!}` for what is itself a phrase.
 */
export type Phrase = readonly [said: string, told: string];

/** What went wrong and what to do, as one reads it. */
export type ToldError = Pick<WireError, 'message' | 'hint'>;

/** What the operations say, in the language of the page. */
export interface Told {
  readonly note: (text: string) => string;
  readonly error: (error: Pick<WireError, 'code' | 'message' | 'hint'>) => ToldError;
  /** Between a message and its hint. */
  readonly stop: string;
}

/** As it is said: in English. */
export const toldPlainly: Told = {
  note: (text) => text,
  error: ({ message, hint }) => ({ message, hint }),
  stop: '. ',
};

const patternOf = (said: string): RegExp => {
  const pieces = said.split('{}').map((piece) => piece.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
  return new RegExp(`^${pieces.join('([^]*?)')}$`);
};

/** How deep a sentence may stand in another: an expected thing in a syntax error in a line of a file. */
const deepest = 4;

/** Translates sentences by a list of them. @returns undefined for what is not in the list */
export const makeTranslator = (phrases: readonly Phrase[]): ((text: string) => string | undefined) => {
  const patterns = phrases.map(([said, told]) => ({ pattern: patternOf(said), told }));
  const translate = (text: string, depth: number): string | undefined => {
    if (depth > deepest) return undefined;
    for (const { pattern, told } of patterns) {
      const found = pattern.exec(text);
      if (!found) continue;
      return told.replaceAll(/\{(\d)(!?)\}/g, (_, i: string, isPhrase: string) => {
        const hole = found[1 + Number(i)] ?? '';
        return (isPhrase === '!' ? translate(hole, depth + 1) : undefined) ?? hole;
      });
    }
    return undefined;
  };
  return (text) => translate(text, 0);
};

interface Language {
  readonly phrases: readonly Phrase[];
  readonly codes: Readonly<Record<WireError['code'], string>>;
  readonly colon: string;
  readonly stop: string;
}

/** Notes and errors in another language. What is in no list stays as it is said, behind what its code means. */
export const makeTold = ({ phrases, codes, colon, stop }: Language): Told => {
  const translate = makeTranslator(phrases);
  return {
    note: (text) => translate(text) ?? text,
    error: ({ code, message, hint }) => ({
      message: translate(message) ?? `${codes[code]}${colon}${message}`,
      hint: translate(hint) ?? hint,
    }),
    stop,
  };
};

/** What went wrong and what to do, as one text; what is no error of ours as it says itself. */
export const errorText = ({ told }: { readonly told: Told }, error: unknown): string => {
  if (!(error instanceof DebuggerError)) return error instanceof Error ? error.message : String(error);
  const { message, hint } = told.error({ ...error.info, message: error.message });
  return `${message}${told.stop}${hint}`;
};
