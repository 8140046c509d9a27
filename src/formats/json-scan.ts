/** What JSON.parse does not tell: how deep a text is nested, and whether a key stood twice. */

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const opening: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const closing: ReadonlySet<number> = new Set([0x7d, 0x5d]);

export interface JsonScan {
  /** The most brackets open at once. */
  readonly depth: number;
  /** Keys written, of all objects. */
  readonly keys: number;
}

/** The index of the quote that ends the string begun before `at`; the end of the text where there is none. */
const stringEnd = (text: Uint8Array, at: number): number => {
  let i = at;
  while (i < text.length && text[i] !== quote) i += text[i] === backslash ? 2 : 1;
  return i;
};

/** Looks over a JSON text in UTF-8 once, in constant memory. Of a text that is no JSON it tells nothing useful. */
export const scanJson = (text: Uint8Array): JsonScan => {
  let [depth, deepest, keys] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] ?? 0;
    if (byte === quote) i = stringEnd(text, i + 1);
    else if (byte === colon) keys++;
    else if (opening.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (closing.has(byte)) depth--;
  }
  return { depth: deepest, keys };
};

/** Keys of an object and of all objects in it: fewer than were written where one stood twice. */
export const countKeys = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, part) => sum + countKeys(part), own);
};
