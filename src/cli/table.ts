import { stripVTControlCharacters } from 'node:util';

/** Columns a text takes in a terminal: wide characters (East Asian, emoji) two, combining marks none. */
export const columns = (text: string): number => {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
};

const pad = (text: string, width: number, right: boolean): string => {
  const space = ' '.repeat(Math.max(0, width - columns(text)));
  return right ? space + text : text + space;
};

/** A table in plain text: a head, two spaces between columns. `right`: columns set flush right. */
export const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right = [] }: { readonly right?: readonly number[] } = {},
): string => {
  const widths = head.map((title, c) => rows.reduce((w, row) => Math.max(w, columns(row[c] ?? '')), columns(title)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => pad(cell, widths[c] ?? 0, right.includes(c)))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map((row) => `  ${line(row)}`.trimEnd()).join('\n');
};
