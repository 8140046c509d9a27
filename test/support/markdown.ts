/** The text under a heading, up to the next one of the same or a higher level. */
export const sectionOf = (page: string, heading: string): string => {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start < 0) throw new Error(`no heading ${heading}`);
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 0;
  const end = lines.findIndex((line, i) => i > start && (/^(#+) /.exec(line)?.[1]?.length ?? Infinity) <= level);
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n');
};

/** The body rows of the tables under a heading, as trimmed cells. Cells must not hold `|`. */
export const rowsUnder = (page: string, heading: string): readonly (readonly string[])[] => {
  const lines = sectionOf(page, heading).split('\n');
  const rows = lines.filter(
    (line, i) => line.startsWith('|') && !/^\|\s*:?-/.test(line) && !/^\|\s*:?-/.test(lines[i + 1] ?? ''),
  );
  if (rows.length === 0) throw new Error(`no table under ${heading}`);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

/** The code spans of a text. */
export const textsIn = (text: string): readonly string[] => [...text.matchAll(/`([^`]+)`/g)].map((m) => m[1] ?? '');

/** Fenced blocks of a language, in order. */
export const fencesOf = (page: string, language: string): readonly string[] =>
  [...page.matchAll(/^```(\S*)[^\n]*\n([\s\S]*?)^```$/gm)].flatMap(([, name, body]) =>
    name === language ? [body ?? ''] : [],
  );
