import { visible } from './printable.js';
import { styled } from './styled.js';
import { columns } from './table.js';

/** From nothing to one, a cell of two characters. */
const shades = ['  ', '░░', '▒▒', '▓▓', '██'];

const shade = (x: number): string => shades[Math.min(shades.length - 1, Math.round(x * (shades.length - 1)))] ?? '';

/**
 * Attention as rows of shades: a row a token that looks, a column a token looked at, in the order of the text. The
 * token that is looked at most stands at the end of the row.
 * @param pattern [query][key], each row a distribution
 */
export const heatmap = (pattern: readonly (readonly number[])[], tokens: readonly string[]): string => {
  const names = tokens.map(visible);
  const width = Math.max(...names.map(columns));
  return pattern
    .map((row, q) => {
      const label = ' '.repeat(width - columns(names[q] ?? '')) + (names[q] ?? '');
      const best = row.indexOf(Math.max(...row));
      const cells = row
        .slice(0, q + 1)
        .map(shade)
        .join('');
      const rest = styled('dim', '· '.repeat(Math.max(0, row.length - q - 1)));
      return `  ${label} ${styled('cyan', cells)}${rest}  ${styled('dim', `→ ${names[best] ?? ''}`)}`;
    })
    .join('\n');
};
