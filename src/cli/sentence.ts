import type { TokenView } from '../protocol/index.js';
import { printable } from './printable.js';
import { styled } from './styled.js';

/** Spelled as special tokens are: `[CLS]`, `<s>`, `</s>`, `<|endoftext|>`. */
export const looksSpecial = (text: string): boolean => /^(\[[A-Z]+\]|<\/?[a-z_0-9]+>|<\|[^<>|\s]+\|>)$/.test(text);

/** What stands between two tokens of a text: vocabularies mark either the beginnings of words, or what goes on. */
const between = (before: string, after: string, marksBeginnings: boolean): string => {
  if (after.startsWith(' ') || before === '') return '';
  if (/^[.,;:!?%)\]]$/.test(after)) return '';
  if (looksSpecial(before) || looksSpecial(after)) return ' ';
  return marksBeginnings || after.startsWith('##') ? '' : ' ';
};

/** Tokens shown on either side of the one that is meant. */
const reach = 16;

/** A prompt as a text around one of its tokens, which stands out; special tokens are dim, what is far is left out. */
export const sentenceAround = (tokens: readonly TokenView[], at: number): string => {
  const marksBeginnings = tokens.some((t) => t.text.startsWith(' '));
  const [from, to] = [Math.max(0, at - reach), Math.min(tokens.length, at + reach + 1)];
  const parts = tokens.slice(from, to).map(({ text }, i) => {
    const gap = between(i === 0 ? '' : (tokens[from + i - 1]?.text ?? ''), text, marksBeginnings);
    const word = printable(marksBeginnings ? text : text.replace(/^##/, '')).replaceAll(/[\n\r\t]/g, ' ');
    const shown =
      from + i === at ? styled('bold', styled('cyan', word)) : looksSpecial(text) ? styled('dim', word) : word;
    return gap + shown;
  });
  return `${from > 0 ? '… ' : ''}${parts.join('')}${to < tokens.length ? ' …' : ''}`;
};
