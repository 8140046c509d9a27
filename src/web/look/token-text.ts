/** Marks for what cannot be seen in a token: spaces, line ends, tabs, other control characters. */
const marks: Readonly<Record<string, string>> = { ' ': '·', '\n': '⏎', '\r': '␍', '\t': '⇥' };

const pictureOf = (character: string): string => {
  const code = character.codePointAt(0) ?? 0;
  return `⟨0x${code.toString(16).toUpperCase().padStart(2, '0')}⟩`;
};

/** A token as it is shown, with nothing trimmed: `·Paris`, `⏎`, `⟨0x1B⟩`. */
export const visible = (text: string): string =>
  text === ''
    ? '∅'
    : text
        .replaceAll(/[ \n\r\t]/g, (c) => marks[c] ?? c)
        // Controls, and marks that turn or hide what follows them (bidirectional overrides, zero width).
        .replaceAll(/[\0-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, pictureOf)
        .replaceAll(/<0x([0-9A-F]{2})>/g, '⟨0x$1⟩');

/** A token cut to a number of characters; what is cut away is marked. */
export const shortened = (text: string, most: number): string => {
  const all = Array.from(visible(text)); // by code points: half a character is none
  return all.length <= most ? all.join('') : `${all.slice(0, Math.max(1, most - 1)).join('')}…`;
};
